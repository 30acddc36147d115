#include "client/cpp/messages/to_proto.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/wire/messages.h"

namespace inkstream::client {
absl::Status CheckPlan(const Plan& plan) {
  const DeliverySpec& delivery = plan.delivery;
  const std::pair<absl::string_view, uint64_t> fields[] = {
      {"delivery.batch_size", delivery.batch_size},
      {"delivery.world", delivery.world},
      {"delivery.step_stride", delivery.step_stride},
      {"delivery.epochs", delivery.epochs.value_or(1)},
      {"delivery.views", delivery.views},
      {"delivery.image.width", delivery.image.value_or(ImageSpec()).width}};
  for (const auto& [field, value] : fields) {
    if (value > 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(field, " = 0; it must be at least 1"));
  }
  return absl::OkStatus();
}

v1::ExplainPlanRequest ToMessage(const Plan& plan, const StepQuery& query,
                                 uint32_t max_message_bytes) {
  v1::ExplainPlanRequest message;
  message.set_dataset(plan.dataset);
  *message.mutable_open() =
      std::move(*wire::PlanToProto(plan, 0, max_message_bytes).mutable_open());
  message.set_epoch(query.epoch);
  message.set_step(query.first);
  message.set_steps(query.count);
  message.set_all_ranks(query.all_ranks);
  return message;
}

v1::FetchDrawingsRequest ToMessage(const FetchRequest& request,
                                   uint32_t max_message_bytes) {
  v1::FetchDrawingsRequest message;
  message.set_dataset(request.dataset);
  message.set_fingerprint(request.fingerprint);
  if (request.view != View{}) {
    *message.mutable_view() = wire::ViewToProto(request.view);
  }
  message.mutable_index()->Assign(request.indices.begin(),
                                  request.indices.end());
  message.mutable_rank()->Assign(request.ranks.begin(), request.ranks.end());
  message.mutable_key_id()->Assign(request.key_ids.begin(),
                                   request.key_ids.end());
  DeliverySpec delivery;
  delivery.image = request.image;
  delivery.strokes = request.strokes;
  delivery.augment = request.augment;
  delivery.views = request.views;
  delivery.columns = request.columns;
  delivery.ignore_index = request.ignore_index;
  delivery.codec = request.codec;
  *message.mutable_delivery() =
      wire::DeliveryToProto(delivery, max_message_bytes);
  message.mutable_order()->set_seed(request.seed);
  message.set_epoch(request.epoch);
  message.set_augment_view(request.first_view);
  return message;
}

}  // namespace inkstream::client

#include <utility>

#include "server/service/service.h"
#include "server/wire/messages.h"

namespace inkstream::service {

absl::StatusOr<batch::FetchPlan> FetchPlanFromProto(
    const v1::FetchDrawingsRequest& request) {
  batch::FetchPlan plan;
  plan.dataset = request.dataset();
  plan.fingerprint = request.fingerprint();
  absl::StatusOr<View> view = wire::ViewFromProto(request.view());
  if (!view.ok()) return view.status();
  plan.view = *std::move(view);
  plan.indices.assign(request.index().begin(), request.index().end());
  plan.ranks.assign(request.rank().begin(), request.rank().end());
  plan.key_ids.assign(request.key_id().begin(), request.key_id().end());
  plan.seed = request.order().seed();
  plan.epoch = request.epoch();
  plan.first_view = request.augment_view();
  absl::Status status =
      wire::TensorsFromProto(request.delivery(), &plan.delivery);
  if (!status.ok()) return status;
  return plan;
}

}  // namespace inkstream::service

#include "tests/conformance/clients/requests.h"

#include <google/protobuf/util/json_util.h>
#include <inkstream/v1/service.pb.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/wire/messages.h"

namespace inkstream::conformance {
namespace {

absl::Status Parse(const Json& command, const char* name,
                   google::protobuf::Message* message) {
  const auto found = command.find(name);
  if (found == command.end()) return absl::OkStatus();
  const auto status =
      google::protobuf::util::JsonStringToMessage(found->dump(), message);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the suite: ", name, ": ", status.ToString()));
}

}  // namespace

absl::StatusOr<Plan> PlanOf(const Json& command) {
  v1::StreamBatchesRequest request;
  absl::Status status = Parse(command, "request", &request);
  if (!status.ok()) return status;
  return wire::PlanFromProto(request);
}

absl::StatusOr<View> ViewOf(const Json& command) {
  v1::View view;
  absl::Status status = Parse(command, "view", &view);
  if (!status.ok()) return status;
  return wire::ViewFromProto(view);
}

absl::StatusOr<FetchRequest> FetchOf(const Json& command) {
  absl::StatusOr<Plan> plan = PlanOf(command);
  if (!plan.ok()) return plan.status();
  FetchRequest request;
  request.view = std::move(plan->view);
  request.image = std::move(plan->delivery.image);
  request.strokes = plan->delivery.strokes;
  request.augment = plan->delivery.augment;
  request.views = plan->delivery.views;
  request.columns = std::move(plan->delivery.columns);
  request.ignore_index = plan->delivery.ignore_index;
  request.codec = plan->delivery.codec;
  request.seed = plan->order.seed;
  request.indices = command.value("indices", request.indices);
  request.ranks = command.value("ranks", request.ranks);
  request.key_ids = command.value("keys", request.key_ids);
  request.epoch = command.value("epoch", request.epoch);
  request.first_view = command.value("first_view", request.first_view);
  return request;
}

absl::StatusOr<ClientOptions> OptionsOf(const Json& command) {
  ClientOptions options;
  options.read_ahead = command.value("ahead", options.read_ahead);
  const auto seconds = [&command](const char* name, absl::Duration* to) {
    *to = absl::Seconds(command.value(name, absl::ToDoubleSeconds(*to)));
  };
  seconds("timeout", &options.call_timeout);
  seconds("retry_for", &options.failover_timeout);
  seconds("stall", &options.stall_timeout);
  return options;
}

}  // namespace inkstream::conformance

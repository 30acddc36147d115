// Requests -> plans, from what delivery_from_proto and order_from_proto make of
// their parts.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT.
#pragma once

#include <inkstream/v1/service.pb.h>

#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/batch/engine.h"

namespace inkstream::transport {

// REQUIRES: request.has_open().
absl::StatusOr<Plan> PlanFromProto(const v1::StreamBatchesRequest& request);

absl::StatusOr<batch::FetchPlan> FetchPlanFromProto(
    const v1::FetchDrawingsRequest& request);

}  // namespace inkstream::transport

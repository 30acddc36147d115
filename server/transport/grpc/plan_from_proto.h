// Requests -> plans. Fields of the contract that this server does not offer
// are refused by name instead of being left out in silence; everything else is
// for the engine to check.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT.
#pragma once

#include <inkstream/v1/service.pb.h>

#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/batch/engine.h"

namespace inkstream::transport {

absl::StatusOr<View> ViewFromProto(const v1::View& view);

// REQUIRES: request.has_open().
absl::StatusOr<Plan> PlanFromProto(const v1::StreamBatchesRequest& request);

absl::StatusOr<batch::FetchPlan> FetchPlanFromProto(
    const v1::FetchDrawingsRequest& request);

// What the client accepts, 4 MiB where it does not say.
absl::StatusOr<uint32_t> MaxMessageBytes(const v1::Delivery& delivery);

void CursorToProto(const Cursor& cursor, v1::Cursor* proto);

}  // namespace inkstream::transport

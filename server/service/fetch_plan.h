// A FetchDrawings request -> what the engine fetches.
//
// Thread safety: pure function. Errors are INVALID_ARGUMENT.
#pragma once

#include <inkstream/v1/service.pb.h>

#include "absl/status/statusor.h"
#include "server/batch/engine.h"

namespace inkstream::service {

absl::StatusOr<batch::FetchPlan> FetchPlanFromProto(
    const v1::FetchDrawingsRequest& request);

}  // namespace inkstream::service

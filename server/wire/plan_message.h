// What opens a stream: message <-> value.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "inkstream/plan.h"

namespace inkstream::wire {

// REQUIRES: request.has_open().
absl::StatusOr<Plan> PlanFromProto(const v1::StreamBatchesRequest& request);

// `credits`: batches the client can take at once. `max_message_bytes`: what it
// accepts.
v1::StreamBatchesRequest PlanToProto(const Plan& plan, uint32_t credits,
                                     uint32_t max_message_bytes);

}  // namespace inkstream::wire

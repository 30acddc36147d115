// Plans, queries and fetches into the requests of the contract.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "inkstream/client.h"
#include "inkstream/plan.h"
#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

// INVALID_ARGUMENT for values that the wire would turn into others: a 0 that
// means "the default" there.
absl::Status CheckPlan(const Plan& plan);

v1::ExplainPlanRequest ToMessage(const Plan& plan, const StepQuery& query,
                                 uint32_t max_message_bytes);
v1::FetchDrawingsRequest ToMessage(const FetchRequest& request,
                                   uint32_t max_message_bytes);

}  // namespace inkstream::client

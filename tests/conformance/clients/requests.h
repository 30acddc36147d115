// Commands of the suite as the C++ client's values: plans and views are
// Protobuf's JSON of the contract's messages.
//
// Thread safety: pure functions. Errors: INVALID_ARGUMENT names what the suite
// should not have said.
#pragma once

#include "absl/status/statusor.h"
#include "inkstream/client.h"
#include "server/base/json.h"

namespace inkstream::conformance {

// Of `request`, a StreamBatchesRequest.
absl::StatusOr<Plan> PlanOf(const Json& command);
// Of `view`; without one, everything.
absl::StatusOr<View> ViewOf(const Json& command);
// Of `request`, as above, and the drawings that are asked for.
absl::StatusOr<FetchRequest> FetchOf(const Json& command);
absl::StatusOr<ClientOptions> OptionsOf(const Json& command);

}  // namespace inkstream::conformance

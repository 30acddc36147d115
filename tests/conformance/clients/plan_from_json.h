// The suite's words for plans, views and requests as the C++ client's values.
//
// Thread safety: pure functions. Errors: INVALID_ARGUMENT names a word that the
// suite should not have used.
#pragma once

#include <simdjson.h>

#include "absl/status/statusor.h"
#include "inkstream/client.h"

namespace inkstream::conformance {

using Json = simdjson::dom::object;

absl::StatusOr<View> ViewOf(const Json& json);
absl::StatusOr<Plan> PlanOf(const Json& json);
absl::StatusOr<Cursor> CursorOf(const Json& json);
absl::StatusOr<FetchRequest> FetchOf(const Json& json);
absl::StatusOr<ClientOptions> OptionsOf(const Json& json);

}  // namespace inkstream::conformance

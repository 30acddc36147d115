// What servers of earlier releases pass over, although it says what comes.
//
// Thread safety: pure functions.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "inkstream/plan.h"

namespace inkstream::client {

// What of a plan such a server passes over, for people; "": nothing.
absl::string_view PassedOver(SamplingKind sampling,
                             const std::optional<StrokesSpec>& strokes);

// INVALID_ARGUMENT where `what` is not "" and the server at `target` does not
// say `refuses_unknown`.
absl::Status CheckUnderstood(absl::string_view what, bool refuses_unknown,
                             absl::string_view target);

}  // namespace inkstream::client

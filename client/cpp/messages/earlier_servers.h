// What servers of earlier releases do not know: what they pass over, although
// it says what comes, and batches as rows.
//
// Thread safety: pure functions.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "inkstream/plan.h"
#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

// What of a plan such a server passes over, for people; "": nothing.
absl::string_view PassedOver(SamplingKind sampling,
                             const std::optional<StrokesSpec>& strokes);

// INVALID_ARGUMENT where `what` is not "" and the server at `target` does not
// say `refuses_unknown`.
absl::Status CheckUnderstood(absl::string_view what, bool refuses_unknown,
                             absl::string_view target);

// Whether a server has refused `delivery` because of its codec, which is newer
// than itself. It may be asked again: for what it draws, as this makes it.
bool HaveTheServerDraw(const absl::Status& refused, v1::Delivery* delivery);

}  // namespace inkstream::client

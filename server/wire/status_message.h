// What a status carries beside its code and text, as the google.rpc.Status that
// travels with it: the reason as ErrorInfo (domain "inkstream"), the retry
// delay as RetryInfo.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace inkstream::wire {

// The text, no longer than can travel; what is cut ends with an ellipsis.
std::string TravellingText(const absl::Status& status);

// A serialised google.rpc.Status; "": the code and the text are all there is.
std::string DetailsOf(const absl::Status& status);

// The status with the reason and the delay of its `details`, which only refine
// the code: what does not parse is left out.
absl::Status StatusOf(absl::StatusCode code, absl::string_view text,
                      const std::string& details);

}  // namespace inkstream::wire

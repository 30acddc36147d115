// Refusals of request fields. What this server does not offer is refused by
// name instead of being left out in silence.
//
// Thread safety: pure functions. All are INVALID_ARGUMENT.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace inkstream::wire {

absl::Status NotOffered(absl::string_view field, absl::string_view offered);

// `value` is of no enumerator that this server was built with.
absl::Status UnknownEnum(absl::string_view field, int value);

}  // namespace inkstream::wire

// What a program may want to know of an error beyond its code.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace inkstream {

// Why, for programs: DRAIN, GENERATION_NOT_HERE, ... (proto/inkstream/v1);
// empty where the server gave none.
std::string ErrorReason(const absl::Status& status);

// How long the server asks to wait before the next try.
std::optional<absl::Duration> RetryDelay(const absl::Status& status);

}  // namespace inkstream

// What a program may want to know of an error beyond its code: a reason to
// branch on and how long to wait. Both travel as payloads of absl::Status;
// transports turn them into their own form.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace inkstream {

// Reasons that go with UNAVAILABLE: another replica can take the stream over.
inline constexpr char kReasonDrain[] = "DRAIN";
inline constexpr char kReasonOverloaded[] = "OVERLOADED";
inline constexpr char kReasonGenerationNotHere[] = "GENERATION_NOT_HERE";
inline constexpr char kReasonStoreLost[] = "STORE_LOST";
inline constexpr char kReasonIdle[] = "IDLE";
inline constexpr char kReasonSlowReader[] = "SLOW_READER";
inline constexpr char kReasonBroken[] = "BROKEN";  // bytes are not as sent
// Reasons that go with RESOURCE_EXHAUSTED.
inline constexpr char kReasonTooManyStreams[] = "TOO_MANY_STREAMS";
inline constexpr char kReasonTooManyCredits[] = "TOO_MANY_CREDITS";
inline constexpr char kReasonViewMemory[] = "VIEW_MEMORY";
// With NOT_FOUND: upload the key set and ask again.
inline constexpr char kReasonKeysNotHere[] = "KEYS_NOT_HERE";

absl::Status WithReason(absl::Status status, absl::string_view reason);
absl::Status WithRetryDelay(absl::Status status, absl::Duration delay);

// "" where the status has none.
std::string ReasonOf(const absl::Status& status);
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

}  // namespace inkstream

// Instants as Quick, Draw! writes them: 2017-03-02 23:25:10.07453 UTC.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "inkstream/drawing.h"

namespace inkstream {

// Years 1 to 9999, fraction of 0 to 6 digits (none: no point either). nullopt:
// anything else, also days that do not exist and leap seconds.
std::optional<Timestamp> ParseTimestamp(absl::string_view text);

// The same instants as other tools write them, ISO 8601 and Kaggle's: T or a
// blank between date and time; a fraction of up to 9 digits, of which those
// behind the 6th are 0; then Z, +HH:MM, +HHMM, +HH, UTC behind a blank, or
// nothing, which is UTC too. Zeros at a fraction's end say nothing there.
std::optional<Timestamp> ParseIsoTimestamp(absl::string_view text);

// The text that ParseTimestamp gave this for.
std::string FormatTimestamp(const Timestamp& timestamp);

}  // namespace inkstream

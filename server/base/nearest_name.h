// Error texts that name the valid choice nearest to what was asked for.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace inkstream {

// The choice with the smallest edit distance (case ignored), or "" where none
// is near: more than half of the longer name would have to change.
std::string NearestName(absl::string_view asked,
                        absl::Span<const std::string> choices);

// "; the nearest is "x"" or "; offered: a, b, c" (up to twelve names, then how
// many more there are).
std::string NearestHint(absl::string_view asked,
                        absl::Span<const std::string> choices);

// A name as error texts show it: quoted, escaped, cut to 80 characters.
std::string Quoted(absl::string_view text);

}  // namespace inkstream

// Text as a JSON string, and foreign bytes as text that is safe to print.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace inkstream {

// Appends `text` in quotes. Bytes that are not UTF-8 are replaced by U+FFFD, so
// that what is written is always JSON.
void AppendJsonString(absl::string_view text, std::string* json);

// The beginning of foreign bytes in at most `max_characters` characters:
// control characters as \u0007, bytes that are not UTF-8 as \xff, the rest as
// it is.
std::string PrintableText(absl::string_view bytes, size_t max_characters);

}  // namespace inkstream

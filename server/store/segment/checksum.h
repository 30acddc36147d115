// The checksum at the end of every value.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace inkstream::store {

// XXH3-64 of `bytes`.
uint64_t Checksum(absl::string_view bytes);

// Appends the checksum of what `value` holds.
void AppendChecksum(std::string* value);

// True if `value` ends with the checksum of what is before it.
bool ChecksumHolds(absl::string_view value);

}  // namespace inkstream::store

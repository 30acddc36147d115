// Values that are read whole at open: lists of strings and the like, under
// zstd where that makes them smaller.
//
// Thread safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inkstream::store {

// The value to store under key `name`, checksum included.
std::string WrapTable(absl::string_view name, absl::string_view raw);

// DATA_LOSS if checksum, name, kind or sizes are wrong; nothing larger than
// kMaxTableBytes is allocated.
absl::StatusOr<std::string> UnwrapTable(absl::string_view name,
                                        absl::string_view value);

// A list of strings of up to 65,535 bytes each.
std::string PackStrings(const std::vector<std::string>& strings);
absl::StatusOr<std::vector<std::string>> UnpackStrings(absl::string_view raw);

}  // namespace inkstream::store

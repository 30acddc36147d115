// Small files that an operator replaces while they are in use: certificates,
// tokens.
//
// Thread safety: pure functions.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "absl/status/statusor.h"

namespace inkstream::transport {

// What distinguishes a file from what stood at its path before. Through
// symbolic links, so that a link that points elsewhere is a change; nullopt:
// there is none.
using FileIdentity =
    std::optional<std::tuple<dev_t, ino_t, int64_t, int64_t, int64_t>>;
FileIdentity IdentityOfFile(const std::string& path);

// All of a regular file of at most a mebibyte. Does not wait for a FIFO. Errors
// name the path.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

}  // namespace inkstream::transport

// The file of a Unix socket.
//
// Thread safety: touches the file system and nothing else.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace inkstream::transport {

// Removes a socket file that nobody listens on. ALREADY_EXISTS: somebody does,
// or the file is not a socket.
absl::Status ClearSocketFile(const std::string& path);

}  // namespace inkstream::transport

// The file of a Unix socket.
//
// Thread safety: touches the file system and nothing else. Listening changes
// nobody's umask.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace inkstream {

// Who may connect: whoever may write to the file.
struct SocketAccess {
  std::optional<mode_t> mode;  // none: what the umask leaves, mostly 0755
  std::optional<gid_t> group;  // none: the process's
};

// Removes a socket file that nobody listens on. ALREADY_EXISTS: somebody does,
// or the file is not a socket.
absl::Status ClearSocketFile(const std::string& path);

// A socket that listens at `path` and does not block, in place of a dead one.
// UNAVAILABLE: the directory or the group is not to be had.
absl::StatusOr<int> ListenOnSocketFile(const std::string& path,
                                       const SocketAccess& access, int backlog);

}  // namespace inkstream

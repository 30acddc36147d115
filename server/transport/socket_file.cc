#include "server/transport/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {

absl::Status ClearSocketFile(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "socket path \"", path, "\" has ", path.size(), " bytes; 1 to ",
        sizeof(address.sun_path) - 1, " are possible"));
  }
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": ", std::strerror(errno)));
  }
  if (!S_ISSOCK(info.st_mode)) {
    return absl::AlreadyExistsError(
        absl::StrCat(path, " exists and is not a socket; give another path"));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answered =
      probe >= 0 && connect(probe, reinterpret_cast<sockaddr*>(&address),
                            sizeof(address)) == 0;
  const bool refused = !answered && errno == ECONNREFUSED;
  if (probe >= 0) close(probe);
  if (!refused) {
    return absl::AlreadyExistsError(
        absl::StrCat(path,
                     ": another server listens on this socket; stop it or give "
                     "another path"));
  }
  if (unlink(path.c_str()) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot remove the dead socket ", path, ": ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace inkstream::transport

#include "server/base/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace inkstream {

namespace {

absl::Status SetAccess(const std::string& path, const SocketAccess& access) {
  if (access.group.has_value() && chown(path.c_str(), -1, *access.group) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot give ", path,
                                               " to the group ", *access.group,
                                               ": ", std::strerror(errno)));
  }
  if (access.mode.has_value() && chmod(path.c_str(), *access.mode) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot set the mode of ", path,
                                               ": ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace

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

absl::StatusOr<int> ListenOnSocketFile(const std::string& path,
                                       const SocketAccess& access,
                                       int backlog) {
  absl::Status free = ClearSocketFile(path);
  if (!free.ok()) return free;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int socket =
      ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // Linux takes the file's mode from the socket: nobody gets in before group
  // and mode are as they were asked for.
  const bool limited =
      !access.mode.has_value() || (socket >= 0 && fchmod(socket, 0) == 0);
  if (socket < 0 || !limited ||
      bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
          0) {
    const absl::Status failed = absl::UnavailableError(absl::StrCat(
        "cannot listen on the Unix socket ", path, ": ", std::strerror(errno),
        "; does its directory exist, and may this user write to it?"));
    if (socket >= 0) close(socket);
    return failed;
  }
  absl::Status listening = SetAccess(path, access);
  if (listening.ok() && listen(socket, backlog) != 0) {
    listening = absl::UnavailableError(absl::StrCat(
        "cannot listen on the Unix socket ", path, ": ", std::strerror(errno)));
  }
  if (listening.ok()) return socket;
  unlink(path.c_str());
  close(socket);
  return listening;
}

}  // namespace inkstream

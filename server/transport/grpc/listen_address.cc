#include "server/transport/grpc/listen_address.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace inkstream::transport {

absl::StatusOr<ListenAddress> ParseListenAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  ListenAddress address;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(text.substr(colon + 1), &address.port) ||
      address.port < 0 || address.port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text,
                     "\" is not an address to listen on; give HOST:PORT, for "
                     "example 127.0.0.1:50051 or [::1]:0 (any free port)"));
  }
  address.host = text.substr(0, colon);
  return address;
}

bool IsLoopback(const ListenAddress& address) {
  return absl::StartsWith(address.host, "127.") || address.host == "[::1]" ||
         address.host == "localhost";
}

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

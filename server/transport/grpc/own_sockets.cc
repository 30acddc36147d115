#include "server/transport/grpc/own_sockets.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"

namespace inkstream::transport {

void ForEachOwnSocket(const std::function<void(int fd)>& visit) {
  std::error_code failed;
  std::filesystem::directory_iterator at("/proc/self/fd", failed);
  for (; !failed && at != std::filesystem::directory_iterator();
       at.increment(failed)) {
    int fd = -1;
    struct stat found = {};
    if (absl::SimpleAtoi(at->path().filename().native(), &fd) &&
        fstat(fd, &found) == 0 && S_ISSOCK(found.st_mode)) {
      visit(fd);
    }
  }
}

bool IsListening(int fd) {
  int value = 0;
  socklen_t size = sizeof(value);
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 &&
         value != 0;
}

}  // namespace inkstream::transport

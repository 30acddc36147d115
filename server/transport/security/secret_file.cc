#include "server/transport/security/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {
namespace {

constexpr size_t kMostBytes = 1U << 20U;

int64_t Nanos(const timespec& time) {
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

absl::Status CannotRead(const std::string& path, int why) {
  return absl::ErrnoToStatus(why, absl::StrCat("cannot read ", path));
}

}  // namespace

FileIdentity IdentityOfFile(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return std::nullopt;
  return {{info.st_dev, info.st_ino, info.st_size, Nanos(info.st_mtim),
           Nanos(info.st_ctim)}};
}

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return CannotRead(path, errno);
  struct stat info = {};
  std::string text;
  int why = fstat(fd, &info) != 0 ? errno : 0;
  const bool regular = why == 0 && S_ISREG(info.st_mode);
  while (regular && text.size() <= kMostBytes) {
    char some[4096];
    const ssize_t got = read(fd, some, sizeof(some));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) why = errno;
    if (got <= 0) break;
    text.append(some, got);
  }
  close(fd);
  if (why != 0) return CannotRead(path, why);
  if (!regular || text.size() > kMostBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, regular ? " is larger than a mebibyte"
                                   : " is not a regular file"));
  }
  return text;
}

}  // namespace inkstream::transport

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/ingest/export/byte_sink.h"
#include "server/store/generation/file_sync.h"

namespace inkstream::ingest {
namespace {

// What is mounted on cannot be renamed away.
bool IsMountPoint(const std::string& path) {
  struct statx info = {};
  return statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &info) == 0 &&
         (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

class FileSink : public ByteSink {
 public:
  // `written_to` is renamed to `path` in the end unless both are the same.
  FileSink(int fd, std::string path, std::string written_to)
      : fd_(fd), path_(std::move(path)), written_to_(std::move(written_to)) {}

  ~FileSink() override {
    if (fd_ > STDERR_FILENO) close(fd_);
    if (!closed_ && written_to_ != path_) unlink(written_to_.c_str());
  }

  absl::Status Write(absl::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t wrote = write(fd_, bytes.data(), bytes.size());
      if (wrote < 0) {
        if (errno == EINTR) continue;
        return Failed("cannot write ");
      }
      bytes.remove_prefix(static_cast<size_t>(wrote));
    }
    return absl::OkStatus();
  }

  absl::Status Close() override {
    if (fd_ > STDERR_FILENO) {
      // Some file systems report a full disk only here.
      if (close(std::exchange(fd_, -1)) != 0) return Failed("cannot close ");
    }
    if (written_to_ != path_ &&
        std::rename(written_to_.c_str(), path_.c_str()) != 0) {
      return Failed("cannot rename to ");
    }
    closed_ = true;
    return absl::OkStatus();
  }

 private:
  absl::Status Failed(const char* what) const {
    return absl::ErrnoToStatus(
        errno, absl::StrCat(what, path_ == "-" ? "standard output" : path_));
  }

  int fd_;
  const std::string path_;
  const std::string written_to_;
  bool closed_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSink>> OpenFileSink(
    const std::string& name) {
  if (name == "-") return std::make_unique<FileSink>(STDOUT_FILENO, name, name);
  // Where a link leads, so that no file system is crossed in the end.
  const std::string path = store::ResolveLinks(name);
  struct stat info = {};
  const bool exists = stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is a directory, expected a file's name"));
  }
  const bool replaceable = S_ISREG(info.st_mode) && !IsMountPoint(path);
  const std::string written_to =
      exists && !replaceable ? path : path + ".partial";
  const int fd =
      open(written_to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
  }
  return std::make_unique<FileSink>(fd, path, written_to);
}

}  // namespace inkstream::ingest

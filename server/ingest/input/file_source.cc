#include "server/ingest/input/file_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::ingest {
namespace {

// How long an interrupt waits for a pipe that gives nothing.
constexpr int kPollMillis = 100;

}  // namespace

std::string SourceName(const std::string& path) {
  return path == "-" ? "standard input" : path;
}

FileSource::FileSource(int fd, std::string name, InterruptCheck interrupted)
    : fd_(fd), name_(std::move(name)), interrupted_(std::move(interrupted)) {}

FileSource::~FileSource() {
  if (fd_ != STDIN_FILENO) close(fd_);
}

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::Open(
    const std::string& path, InterruptCheck interrupted) {
  const std::string name = SourceName(path);
  int fd = STDIN_FILENO;
  if (path != "-") {
    // Of a FIFO that nobody writes, open() would wait and not be interrupted;
    // poll() waits for the first writer as well.
    fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", name));
    }
  }
  std::unique_ptr<FileSource> source(
      new FileSource(fd, name, std::move(interrupted)));
  struct stat info = {};
  if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is a directory, expected a file"));
  }
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return source;
}

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::OpenRange(
    const std::string& path, uint64_t begin, uint64_t end,
    InterruptCheck interrupted) {
  absl::StatusOr<std::unique_ptr<FileSource>> source =
      Open(path, std::move(interrupted));
  if (!source.ok()) return source.status();
  if (lseek((*source)->fd_, static_cast<off_t>(begin), SEEK_SET) < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot seek in ", path));
  }
  (*source)->left_ = end - begin;
  return source;
}

absl::StatusOr<size_t> FileSource::Read(char* out, size_t capacity) {
  for (;;) {
    if (interrupted_ && interrupted_()) {
      return absl::CancelledError(absl::StrCat("interrupted at ", name_));
    }
    // Regular files are always ready.
    pollfd ready = {fd_, POLLIN, 0};
    if (poll(&ready, 1, kPollMillis) == 0) continue;
    const ssize_t got = read(fd_, out, std::min<uint64_t>(capacity, left_));
    if (got >= 0) {
      left_ -= static_cast<uint64_t>(got);
      consumed_ += static_cast<uint64_t>(got);
      return static_cast<size_t>(got);
    }
    if (errno == EINTR || errno == EAGAIN) continue;
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", name_));
  }
}

}  // namespace inkstream::ingest

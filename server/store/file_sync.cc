#include "server/store/file_sync.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace inkstream::store {
namespace {

absl::Status WriteAll(int fd, absl::string_view bytes,
                      const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return absl::ErrnoToStatus(errno, path);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path,
                                          uint64_t max_bytes) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  const auto close_fd = absl::MakeCleanup([fd] { close(fd); });
  std::string bytes;
  char buffer[65536];
  for (;;) {
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::ErrnoToStatus(errno, path);
    if (count == 0) return bytes;
    if (bytes.size() + static_cast<size_t>(count) > max_bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat(path, ": more than ", max_bytes, " bytes"));
    }
    bytes.append(buffer, static_cast<size_t>(count));
  }
}

absl::Status ReplaceFile(const std::string& path, absl::string_view bytes) {
  const std::string temporary = absl::StrCat(path, ".tmp");
  const int fd =
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return absl::ErrnoToStatus(errno, temporary);
  absl::Status status = WriteAll(fd, bytes, temporary);
  if (status.ok() && fsync(fd) != 0) {
    status = absl::ErrnoToStatus(errno, temporary);
  }
  close(fd);
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) {
    status = absl::ErrnoToStatus(errno, path);
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  return SyncDirectory(ParentDirectory(path));
}

absl::Status CopyFile(const std::string& from, const std::string& to) {
  const int in = open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (in < 0) return absl::ErrnoToStatus(errno, from);
  const auto close_in = absl::MakeCleanup([in] { close(in); });
  const int out =
      open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (out < 0) return absl::ErrnoToStatus(errno, to);
  const auto close_out = absl::MakeCleanup([out] { close(out); });
  std::string buffer(size_t{1} << 20, '\0');
  for (;;) {
    const ssize_t count = read(in, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::ErrnoToStatus(errno, from);
    if (count == 0) break;
    absl::Status written = WriteAll(
        out, absl::string_view(buffer).substr(0, static_cast<size_t>(count)),
        to);
    if (!written.ok()) return written;
  }
  if (fsync(out) != 0) return absl::ErrnoToStatus(errno, to);
  return absl::OkStatus();
}

absl::Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  const int rc = fsync(fd);
  const int error = errno;
  close(fd);
  if (rc != 0) return absl::ErrnoToStatus(error, path);
  return absl::OkStatus();
}

absl::Status RenameNew(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(),
                RENAME_NOREPLACE) != 0) {
    // Some network file systems do not know the flag.
    if (errno != EINVAL && errno != ENOSYS) {
      return absl::ErrnoToStatus(errno, to);
    }
    if (access(to.c_str(), F_OK) == 0) {
      return absl::AlreadyExistsError(absl::StrCat(to, " exists"));
    }
    if (rename(from.c_str(), to.c_str()) != 0) {
      return absl::ErrnoToStatus(errno, to);
    }
  }
  return SyncDirectory(ParentDirectory(to));
}

std::string ParentDirectory(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace inkstream::store

#include "server/store/generation/file_sync.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <filesystem>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace inkstream::store {
namespace {

constexpr int kMostLinks = 40;  // as the kernel's

absl::string_view KindOf(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    case S_IFDIR:
      return "a directory";
    default:
      return "a device";
  }
}

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

// A file or a directory.
absl::Status Sync(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  const int rc = fsync(fd);
  const int error = errno;
  close(fd);
  if (rc != 0) return absl::ErrnoToStatus(error, path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int> OpenRegularFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const int error = errno;
  struct stat info = {};
  // ENXIO: a socket, or a device that is not there.
  if (fd < 0 && error != ENXIO) return absl::ErrnoToStatus(error, path);
  if (fd < 0) {
    stat(path.c_str(), &info);
  } else {
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) return fd;
    close(fd);
  }
  return absl::DataLossError(absl::StrCat(path, ": is ", KindOf(info.st_mode),
                                          ", expected a regular file"));
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path,
                                          uint64_t max_bytes) {
  const absl::StatusOr<int> opened = OpenRegularFile(path);
  if (!opened.ok()) return opened.status();
  const int fd = *opened;
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
  const absl::StatusOr<int> opened = OpenRegularFile(from);
  if (!opened.ok()) return opened.status();
  close(*opened);
  std::error_code error;
  std::filesystem::copy_file(from, to, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat(from, " to ", to));
  }
  return Sync(to);
}

absl::Status SyncDirectory(const std::string& path) { return Sync(path); }

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

std::string ResolveLinks(const std::string& path) {
  std::string resolved = path;
  for (int followed = 0;; ++followed) {
    while (resolved.size() > 1 && resolved.back() == '/') resolved.pop_back();
    std::string target(PATH_MAX, '\0');
    const ssize_t length =
        readlink(resolved.c_str(), target.data(), target.size());
    // A circle is left as it is: whoever opens it is told.
    if (length <= 0 || followed == kMostLinks) return resolved;
    target.resize(static_cast<size_t>(length));
    resolved = target.front() == '/'
                   ? target
                   : absl::StrCat(ParentDirectory(resolved), "/", target);
  }
}

}  // namespace inkstream::store

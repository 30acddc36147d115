#include "server/store/partial_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "server/store/file_sync.h"
#include "server/store/format.h"

namespace inkstream::store {
namespace {

// Another writer may publish or remove the directory between our opening of
// its lock file and our getting the lock; then we begin again.
constexpr int kAttempts = 16;

std::string LockOwner(int lock) {
  char text[32] = {};
  const ssize_t count = pread(lock, text, sizeof(text) - 1, 0);
  return count > 0 ? absl::StrCat(" (process ", text, ")") : "";
}

bool SameFile(int fd, const std::string& path) {
  struct stat held, named;
  return fstat(fd, &held) == 0 && stat(path.c_str(), &named) == 0 &&
         held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PartialStore>> PartialStore::Open(
    const std::string& given, bool append) {
  std::string path = given;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::string directory = absl::StrCat(path, kPartialSuffix);
  const std::string lock_path = absl::StrCat(directory, "/", kLockName);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const bool exists = access(path.c_str(), F_OK) == 0;
    if (append && !exists) {
      return absl::NotFoundError(absl::StrCat(
          path, ": there is no store to append to; leave --append out"));
    }
    if (!append && exists) {
      return absl::AlreadyExistsError(absl::StrCat(
          path,
          " exists; add to it with --append, or continue an interrupted "
          "ingest with --resume"));
    }
    if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
      return absl::ErrnoToStatus(errno, directory);
    }
    const int lock =
        open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0) {
      if (errno == ENOENT) continue;
      return absl::ErrnoToStatus(errno, lock_path);
    }
    std::unique_ptr<PartialStore> partial(
        new PartialStore(path, directory, lock));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, lock_path);
      return absl::FailedPreconditionError(
          absl::StrCat("another process", LockOwner(lock), " is writing ",
                       directory, "; wait for it or choose another path"));
    }
    if (!SameFile(lock, lock_path)) continue;
    const std::string pid = absl::StrCat(getpid());
    if (ftruncate(lock, 0) != 0 ||
        pwrite(lock, pid.data(), pid.size(), 0) < 0) {
      return absl::ErrnoToStatus(errno, lock_path);
    }
    return partial;
  }
  return absl::UnavailableError(
      absl::StrCat(directory, ": other processes keep making and removing it"));
}

PartialStore::~PartialStore() { close(lock_); }

absl::Status PartialStore::Clear(const std::vector<std::string>& keep) {
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename().string();
    if (name == kLockName ||
        std::find(keep.begin(), keep.end(), name) != keep.end()) {
      continue;
    }
    std::filesystem::remove_all(entry.path(), error);
    if (error) break;
  }
  if (error) return absl::ErrnoToStatus(error.value(), directory_);
  return absl::OkStatus();
}

absl::Status PartialStore::MoveIntoStore(
    const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::string from = absl::StrCat(directory_, "/", name);
    // Absent: an interrupted attempt has moved it.
    if (access(from.c_str(), F_OK) != 0) continue;
    const std::string to = absl::StrCat(path_, "/", name);
    if (rename(from.c_str(), to.c_str()) != 0) {
      return absl::ErrnoToStatus(errno, to);
    }
  }
  return SyncDirectory(path_);
}

absl::Status PartialStore::Publish() {
  if (absl::Status s = SyncDirectory(directory_); !s.ok()) return s;
  if (absl::Status s = RenameNew(directory_, path_); !s.ok()) return s;
  // Only now: without its lock the directory could be taken for abandoned.
  const std::string lock_path = absl::StrCat(path_, "/", kLockName);
  if (unlink(lock_path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, lock_path);
  }
  return absl::OkStatus();
}

absl::Status PartialStore::Remove() {
  if (absl::Status s = Clear(); !s.ok()) return s;
  const std::string lock_path = absl::StrCat(directory_, "/", kLockName);
  if (unlink(lock_path.c_str()) != 0 && errno != ENOENT) {
    return absl::ErrnoToStatus(errno, lock_path);
  }
  // Not empty: another writer took the directory as soon as it was unlocked.
  if (rmdir(directory_.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY) {
    return absl::ErrnoToStatus(errno, directory_);
  }
  return absl::OkStatus();
}

}  // namespace inkstream::store

#include "server/store/generation/staging_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "server/store/format.h"
#include "server/store/generation/file_sync.h"

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

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// A file system's own, or a writer's.
bool IsNoContent(const std::string& name) {
  return name == "lost+found" || name == kPartialSuffix;
}

// ALREADY_EXISTS says what is in the way of a new store.
absl::Status CheckFree(const StorePlace& place) {
  if (!place.inside) {
    if (!Exists(place.path)) return absl::OkStatus();
    return absl::AlreadyExistsError(
        absl::StrCat(place.path, " exists and is no directory"));
  }
  if (Exists(absl::StrCat(place.path, "/", kManifestName))) {
    return absl::AlreadyExistsError(absl::StrCat(
        place.path,
        " exists; add to it with --append, or continue an interrupted "
        "ingest with --resume"));
  }
  // Of a writer that was about to publish, segments may lie here already.
  if (Exists(place.directory)) return absl::OkStatus();
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(place.path, error)) {
    const std::string name = entry.path().filename().string();
    if (IsNoContent(name)) continue;
    return absl::AlreadyExistsError(
        absl::StrCat(place.path, " is no store and is not empty: '", name,
                     "' is in it; name another path, or empty it"));
  }
  if (error) return absl::ErrnoToStatus(error.value(), place.path);
  return absl::OkStatus();
}

absl::Status CannotBuild(const StorePlace& place, int error) {
  const char* const way_out =
      error == ENOENT ? "make that directory, or "
      : error == EACCES || error == EPERM || error == EROFS
          ? "let this user write there, or "
          : "";
  return absl::InvalidArgumentError(absl::StrCat(
      "a store cannot be built in ", ParentDirectory(place.directory), ": ",
      std::strerror(error), "; ", way_out, "name a path elsewhere"));
}

// What is moved out of the directory in the end must not have to be copied.
absl::Status CheckSameDevice(const StorePlace& place) {
  const std::string parent = ParentDirectory(place.directory);
  struct stat here, there;
  if (stat(place.directory.c_str(), &here) != 0 ||
      stat(parent.c_str(), &there) != 0) {
    return absl::ErrnoToStatus(errno, place.directory);
  }
  if (here.st_dev == there.st_dev) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      place.directory, " is of another file system than ", parent,
      ", so that a store cannot be built in it; remove the link or the mount"));
}

}  // namespace

StorePlace PlaceOf(const std::string& store) {
  StorePlace place;
  place.path = ResolveLinks(store);
  struct stat info;
  place.inside = stat(place.path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  place.directory =
      absl::StrCat(place.path, place.inside ? "/" : "", kPartialSuffix);
  return place;
}

absl::StatusOr<std::unique_ptr<StagingDirectory>> StagingDirectory::Open(
    const std::string& path, bool append) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const StorePlace place = PlaceOf(path);
    const bool store = Exists(absl::StrCat(place.path, "/", kManifestName));
    if (!append || !store) {
      if (absl::Status free = CheckFree(place); !free.ok()) return free;
    }
    if (append && !store) {
      return absl::NotFoundError(absl::StrCat(
          place.path, ": there is no store to append to; leave --append out"));
    }
    const std::string lock_path = absl::StrCat(place.directory, "/", kLockName);
    if (mkdir(place.directory.c_str(), 0755) != 0 && errno != EEXIST) {
      return CannotBuild(place, errno);
    }
    if (absl::Status s = CheckSameDevice(place); !s.ok()) return s;
    const int lock =
        open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0) {
      if (errno == ENOENT) continue;
      return absl::ErrnoToStatus(errno, lock_path);
    }
    std::unique_ptr<StagingDirectory> staging(
        new StagingDirectory(place, lock));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, lock_path);
      return absl::FailedPreconditionError(absl::StrCat(
          "another process", LockOwner(lock), " is writing ", place.directory,
          "; wait for it or choose another path"));
    }
    if (!SameFile(lock, lock_path)) continue;
    const std::string pid = absl::StrCat(getpid());
    if (ftruncate(lock, 0) != 0 ||
        pwrite(lock, pid.data(), pid.size(), 0) < 0) {
      return absl::ErrnoToStatus(errno, lock_path);
    }
    return staging;
  }
  return absl::UnavailableError(
      absl::StrCat(path, ": other processes keep making and removing it"));
}

StagingDirectory::~StagingDirectory() { close(lock_); }

absl::Status StagingDirectory::Clear(const std::vector<std::string>& keep) {
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory(), error)) {
    const std::string name = entry.path().filename().string();
    if (name == kLockName ||
        std::find(keep.begin(), keep.end(), name) != keep.end()) {
      continue;
    }
    std::filesystem::remove_all(entry.path(), error);
    if (error) break;
  }
  if (error) return absl::ErrnoToStatus(error.value(), directory());
  return absl::OkStatus();
}

absl::Status StagingDirectory::MoveIntoStore(
    const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::string from = absl::StrCat(directory(), "/", name);
    // Absent: an interrupted attempt has moved it.
    if (access(from.c_str(), F_OK) != 0) continue;
    const std::string to = absl::StrCat(path(), "/", name);
    if (rename(from.c_str(), to.c_str()) != 0) {
      return absl::ErrnoToStatus(errno, to);
    }
  }
  return SyncDirectory(path());
}

absl::Status StagingDirectory::Publish() {
  if (absl::Status s = SyncDirectory(directory()); !s.ok()) return s;
  if (absl::Status s = RenameNew(directory(), path()); !s.ok()) return s;
  // Only now: without its lock the directory could be taken for abandoned.
  const std::string lock_path = absl::StrCat(path(), "/", kLockName);
  if (unlink(lock_path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, lock_path);
  }
  return absl::OkStatus();
}

absl::Status StagingDirectory::Remove() {
  if (absl::Status s = Clear(); !s.ok()) return s;
  const std::string lock_path = absl::StrCat(directory(), "/", kLockName);
  if (unlink(lock_path.c_str()) != 0 && errno != ENOENT) {
    return absl::ErrnoToStatus(errno, lock_path);
  }
  // Not empty: another writer took the directory as soon as it was unlocked.
  if (rmdir(directory().c_str()) != 0 && errno != ENOENT &&
      errno != ENOTEMPTY) {
    return absl::ErrnoToStatus(errno, directory());
  }
  return absl::OkStatus();
}

}  // namespace inkstream::store

// The directory PATH.partial in which a store is built, and the lock that
// keeps a second writer out.
//
// Thread safety: one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace inkstream::store {

class PartialStore {
 public:
  // Makes and locks PATH.partial, with what a writer left there.
  // ALREADY_EXISTS: `path` exists (unless `append`: then NOT_FOUND: it does
  // not). FAILED_PRECONDITION: another process is writing it.
  static absl::StatusOr<std::unique_ptr<PartialStore>> Open(
      const std::string& path, bool append);
  // Unlocks; leaves the directory unless Publish or Remove was called.
  ~PartialStore();
  PartialStore(const PartialStore&) = delete;
  PartialStore& operator=(const PartialStore&) = delete;

  const std::string& directory() const { return directory_; }
  const std::string& path() const { return path_; }  // of the store

  // Removes what a writer left, but for files whose names are in `keep`.
  absl::Status Clear(const std::vector<std::string>& keep = {});

  // Renames the directory to `path`. Nothing else has that name, or
  // ALREADY_EXISTS.
  absl::Status Publish();
  // Moves files that are still here into the store that exists.
  absl::Status MoveIntoStore(const std::vector<std::string>& names);
  absl::Status Remove();

 private:
  PartialStore(std::string path, std::string directory, int lock)
      : path_(std::move(path)), directory_(std::move(directory)), lock_(lock) {}

  std::string path_;
  std::string directory_;
  int lock_;
};

}  // namespace inkstream::store

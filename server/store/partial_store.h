// The directory PATH.partial in which a store is built, and the lock that
// keeps a second writer out.
//
// Thread safety: one thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace inkstream::store {

class PartialStore {
 public:
  // Makes and locks PATH.partial, emptying what a killed writer left there.
  // ALREADY_EXISTS: `path` exists. FAILED_PRECONDITION: another process is
  // writing it.
  static absl::StatusOr<std::unique_ptr<PartialStore>> Create(
      const std::string& path);
  // Unlocks; leaves the directory unless Publish or Remove was called.
  ~PartialStore();
  PartialStore(const PartialStore&) = delete;
  PartialStore& operator=(const PartialStore&) = delete;

  const std::string& directory() const { return directory_; }

  // Renames the directory to `path`. Nothing else has that name, or
  // ALREADY_EXISTS.
  absl::Status Publish();
  absl::Status Remove();

 private:
  PartialStore(std::string path, std::string directory, int lock)
      : path_(std::move(path)), directory_(std::move(directory)), lock_(lock) {}
  absl::Status RemoveFiles(bool keep_lock);

  std::string path_;
  std::string directory_;
  int lock_;
};

}  // namespace inkstream::store

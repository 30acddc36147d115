// The directory in which a store is built, and the lock that keeps a second
// writer out: PATH.partial beside a store that is to appear, PATH/.partial
// inside a directory that is there. So what is built lies in the file system
// that it is to be in, whatever is mounted or linked where.
//
// Thread safety: one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace inkstream::store {

// Where a store is, and where it is built.
struct StorePlace {
  std::string path;       // links resolved, without a slash at its end
  std::string directory;  // in which it is built
  bool inside = false;    // the directory lies in the store's own
};
StorePlace PlaceOf(const std::string& store);

class StagingDirectory {
 public:
  // Makes and locks the directory, with what a writer left there. A directory
  // that is empty, but for a file system's own, is as good as none.
  // ALREADY_EXISTS: a store or something else is at `path` (unless `append`:
  // then NOT_FOUND: there is no store). INVALID_ARGUMENT: it cannot be built
  // there; the text has a way out. FAILED_PRECONDITION: another process is
  // writing it.
  static absl::StatusOr<std::unique_ptr<StagingDirectory>> Open(
      const std::string& path, bool append);
  // Unlocks; leaves the directory unless Publish or Remove was called.
  ~StagingDirectory();
  StagingDirectory(const StagingDirectory&) = delete;
  StagingDirectory& operator=(const StagingDirectory&) = delete;

  const std::string& directory() const { return place_.directory; }
  const std::string& path() const { return place_.path; }  // of the store
  bool inside() const { return place_.inside; }

  // Removes what a writer left, but for files whose names are in `keep`.
  absl::Status Clear(const std::vector<std::string>& keep = {});

  // Renames the directory to `path`. Nothing else has that name, or
  // ALREADY_EXISTS. REQUIRES: !inside().
  absl::Status Publish();
  // Moves files that are still here into the store. REQUIRES: inside().
  absl::Status MoveIntoStore(const std::vector<std::string>& names);
  absl::Status Remove();

 private:
  StagingDirectory(StorePlace place, int lock)
      : place_(std::move(place)), lock_(lock) {}

  const StorePlace place_;
  const int lock_;
};

}  // namespace inkstream::store

// A file that is mapped read-only, and what becomes of it while it is.
//
// A file that is truncated under its map, or a disk that fails, is SIGBUS at
// the next access that has to wait for it. So whoever touches a part first asks
// Populate(), which answers with an error instead. What is lost behind that is
// met by whoever wants to live on: a program calls GuardMaps(), and zeros
// appear where the file was, the access goes on, and the file is lost from then
// on. A library leaves its process's signals alone. Whoever reads asks
// CheckIntact() behind the access and before the value is used for anything.
//
// Ownership: views borrow the map. Thread safety: const methods from any
// thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inkstream::store {

// Installs the handler of SIGBUS, for this process. What faults outside of a
// mapped file ends it, as before. Idempotent.
void GuardMaps();

class MappedFile {
 public:
  // NOT_FOUND: no file. DATA_LOSS: no regular file.
  static absl::StatusOr<std::unique_ptr<MappedFile>> Open(
      const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  absl::string_view bytes() const { return {data_, size_}; }

  // DATA_LOSS once a part of the map was gone under an access, Look() found
  // another size, or Lose() was called. One load otherwise.
  absl::Status CheckIntact() const {
    if (!AnyLost()) return absl::OkStatus();
    return lost_.load() == kIntact ? absl::OkStatus() : Loss();
  }
  // Whether any file of this process has been lost so far.
  static bool AnyLost() {
    // What was read of a file before is not read behind the load.
    std::atomic_thread_fence(std::memory_order_acquire);
    return any_lost_.load(std::memory_order_relaxed);
  }

  // Whether the file still has its size; does not wait for a fault.
  void Look() const;

  // The file is lost from now on; `why` is what CheckIntact() answers.
  void Lose(absl::Status why) const;

  // Brings a part of the map into memory. DATA_LOSS, without the file's name:
  // it cannot be read; or as CheckIntact(), where the file was truncated.
  // Kernels before 5.14 look at the file's size alone.
  absl::Status Populate(absl::string_view part) const;

 private:
  friend class MapGuard;
  static constexpr uint64_t kIntact = ~uint64_t{0};
  inline static std::atomic<bool> any_lost_{false};

  MappedFile(std::string path, int fd, const char* data, uint64_t size)
      : path_(std::move(path)), fd_(fd), data_(data), size_(size) {}
  absl::Status CheckSize() const;
  absl::Status Loss() const;

  const std::string path_;
  const int fd_;  // tells the size
  const char* const data_;
  const uint64_t size_;
  // The place in the file where it was lost first.
  mutable std::atomic<uint64_t> lost_{kIntact};
  mutable std::mutex mu_;
  mutable absl::Status why_;  // by mu_; OK: only the handler knows
};

}  // namespace inkstream::store

// Sets of keys, and of weights by drawing, that clients uploaded, by hash,
// under a byte budget: the least recently used go first. A view keeps what it
// was resolved to, not its set. Sets that are still coming in are of the same
// budget, those of one caller of its share (caller_sums.h).
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/batch/view/key_set.h"
#include "server/batch/view/key_upload.h"
#include "server/batch/view/weight_set.h"
#include "server/batch/work/caller_sums.h"
#include "server/batch/work/lru_map.h"

namespace inkstream::batch {

class KeySetCache {
 public:
  explicit KeySetCache(size_t budget_bytes)
      : budget_bytes_(budget_bytes), claimed_(budget_bytes) {}

  // How many keys one set may have, and how many weights.
  uint64_t max_keys() const {
    return CallerShare(budget_bytes_) / kUploadBytes;
  }
  uint64_t max_weights() const {
    return CallerShare(budget_bytes_) / kWeightUploadBytes;
  }

  // Of this cache, which outlives it. `caller` "": nobody's, who has all.
  std::unique_ptr<KeyUpload> NewUpload(const std::string& caller = "");

  // Keeps a set; the same one again is a refresh. INVALID_ARGUMENT: no keys, or
  // as WeightSet::Create(). REQUIRES: the upload is of this cache.
  absl::StatusOr<KeptKeys> Keep(std::unique_ptr<KeyUpload> upload);

  // "": null. NOT_FOUND with reason KEYS_NOT_HERE, naming `field`: to be
  // uploaded (again).
  absl::StatusOr<std::shared_ptr<const KeySet>> Get(const std::string& field,
                                                    const std::string& hash);
  absl::StatusOr<std::shared_ptr<const WeightSet>> GetWeights(
      const std::string& field, const std::string& hash);

  Lookups lookups() const;  // Get() for a hash

  // Of sets that are kept or are coming in.
  size_t bytes() const;

 private:
  class Upload;
  // One of them.
  struct Kept {
    std::shared_ptr<const KeySet> keys;
    std::shared_ptr<const WeightSet> weights;
    size_t bytes = 0;
  };

  // A key that comes in: in an array that grows by half, then in a set.
  static constexpr size_t kUploadBytes = 16;
  // A name and its weight: in two of them, then sorted and in a map.
  static constexpr size_t kWeightUploadBytes = 48;

  absl::StatusOr<Kept> Find(const std::string& field, const std::string& hash,
                            absl::string_view what);

  // For an upload.
  absl::Status Claim(const std::string& caller, size_t bytes);
  void GiveBack(const std::string& caller, size_t bytes);
  void MakeRoom();  // with mu_ held

  const size_t budget_bytes_;
  mutable std::mutex mu_;  // guards everything below
  LruMap<std::string, Kept> sets_;
  size_t bytes_ = 0;    // of sets_
  CallerSums claimed_;  // by uploads
  Lookups lookups_;
};

}  // namespace inkstream::batch

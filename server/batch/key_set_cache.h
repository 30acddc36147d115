// Key sets that clients uploaded, by hash, under a byte budget: the least
// recently used go first. A view keeps what it was resolved to, not its set.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batch/key_set.h"

namespace inkstream::batch {

class KeySetCache {
 public:
  explicit KeySetCache(size_t budget_bytes) : budget_bytes_(budget_bytes) {}

  // How many keys one set may have.
  uint64_t max_keys() const { return budget_bytes_ / KeySet::BytesOf(2); }

  // Keeps a set; the same one again is a refresh. INVALID_ARGUMENT: no keys,
  // more than max_keys(), or one that is no key.
  absl::StatusOr<std::shared_ptr<const KeySet>> Add(std::vector<int64_t> keys);

  // "": null. NOT_FOUND with reason KEYS_NOT_HERE, naming `field`: to be
  // uploaded (again).
  absl::StatusOr<std::shared_ptr<const KeySet>> Get(const std::string& field,
                                                    const std::string& hash);

  size_t bytes() const;

 private:
  const size_t budget_bytes_;
  mutable std::mutex mu_;
  std::list<std::shared_ptr<const KeySet>> sets_;  // most recently used first
  size_t bytes_ = 0;
};

}  // namespace inkstream::batch

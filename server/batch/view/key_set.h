// A set of drawings' keys that a client uploaded, named by its content.
//
// Thread safety: immutable after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace inkstream::batch {

class KeySet {
 public:
  // Repeats are dropped.
  explicit KeySet(std::vector<int64_t> keys);

  // First 128 bits of the SHA-256 of the sorted keys, 8 bytes each, least
  // significant first; lower-case hex.
  const std::string& hash() const { return hash_; }
  size_t size() const { return keys_.size(); }
  bool Contains(int64_t key) const { return keys_.contains(key); }
  size_t bytes() const { return BytesOf(keys_.capacity()); }

  // Memory of a set of so many keys.
  static size_t BytesOf(size_t keys) { return 9 * keys; }

 private:
  std::string hash_;
  absl::flat_hash_set<int64_t> keys_;
};

}  // namespace inkstream::batch

// Weights by drawing that a client uploaded, named by their content.
//
// Thread safety: immutable after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace inkstream::batch {

// What a drawing is named by.
enum class DrawingName : uint8_t { kKey, kIndex };
inline const char* FieldOf(DrawingName by) {
  return by == DrawingName::kKey ? "key_id" : "index";
}

class WeightSet {
 public:
  // `weights` are finite and >= 0, one a name. INVALID_ARGUMENT: a name comes
  // twice, or all weights are 0.
  static absl::StatusOr<WeightSet> Create(DrawingName by,
                                          std::vector<int64_t> names,
                                          std::vector<double> weights);

  DrawingName by() const { return by_; }
  // First 128 bits of the SHA-256 of "weights by key_id" or "weights by index",
  // a line feed, the sorted names and their weights, 8 bytes each, least
  // significant first; lower-case hex.
  const std::string& hash() const { return hash_; }
  size_t size() const { return entries_.size(); }

  struct Entry {
    uint32_t weight = 0;  // share of the largest, which is 2^32 - 1
    uint32_t number = 0;  // of the name, below size()
  };
  // Null: the set does not have the name.
  const Entry* Find(int64_t name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second;
  }
  // The smallest name that `keep(its number)` holds for.
  template <typename Keep>
  std::optional<int64_t> Smallest(const Keep& keep) const {
    std::optional<int64_t> smallest;
    for (const auto& [name, entry] : entries_) {
      if (smallest.has_value() && *smallest <= name) continue;
      if (keep(entry.number)) smallest = name;
    }
    return smallest;
  }

  size_t bytes() const { return BytesOf(entries_.capacity()); }
  // Memory of a set of so many names.
  static size_t BytesOf(size_t names) { return 17 * names; }

 private:
  WeightSet() = default;

  DrawingName by_ = DrawingName::kKey;
  std::string hash_;
  absl::flat_hash_map<int64_t, Entry> entries_;
};

}  // namespace inkstream::batch

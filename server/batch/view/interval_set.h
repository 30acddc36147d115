// A set of 64-bit integers as disjoint ranges, and the loop that tests many
// values against it.
//
// Thread safety: immutable once built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"

namespace inkstream::batch {

class IntervalSet {
 public:
  using Range = std::pair<int64_t, int64_t>;  // both ends included

  // The union of `ranges`; those with first > second are empty.
  explicit IntervalSet(std::vector<Range> ranges);

  // What of `domain` is not in this set.
  IntervalSet WithoutThese(const Range& domain) const;

  bool Contains(int64_t value) const;

  // Clears bit i % 64 of word i / 64 of `mask` for each values[i] that is not
  // in the set. `mask` has a word for every 64 values.
  void ClearOthers(absl::Span<const int64_t> values,
                   absl::Span<uint64_t> mask) const;

  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;  // ascending, not touching
};

}  // namespace inkstream::batch

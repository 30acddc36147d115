// Which drawings of the segments are not in the store, as runs of places.
//
// An index counts kept drawings, a place counts all that the segments hold.
// Thread safety: plain value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace inkstream::store {

class DroppedRuns {
 public:
  struct Run {
    uint64_t first = 0;  // place
    uint64_t count = 0;
    uint64_t before = 0;  // places dropped before this run
    bool operator==(const Run&) const = default;
  };

  // The next run in ascending order; runs that touch become one. False: it is
  // empty or not behind the last one.
  bool Add(uint64_t first, uint64_t count) {
    if (count == 0 || first + count < first || first < end()) return false;
    if (!runs_.empty() && first == end()) {
      runs_.back().count += count;
    } else {
      runs_.push_back({first, count, this->count()});
    }
    return true;
  }

  uint64_t count() const {
    return runs_.empty() ? 0 : runs_.back().before + runs_.back().count;
  }
  // The place behind the last run.
  uint64_t end() const {
    return runs_.empty() ? 0 : runs_.back().first + runs_.back().count;
  }
  const std::vector<Run>& runs() const { return runs_; }

  uint64_t PlaceOf(uint64_t index) const {
    if (runs_.empty()) return index;
    // Runs that begin at or before the index-th kept drawing.
    const auto next = std::upper_bound(
        runs_.begin(), runs_.end(), index,
        [](uint64_t i, const Run& run) { return i < run.first - run.before; });
    if (next == runs_.begin()) return index;
    const Run& last = *(next - 1);
    return index + last.before + last.count;
  }
  // The index of a kept drawing, or of the first kept one behind a dropped one.
  uint64_t IndexOf(uint64_t place) const {
    const auto next = std::upper_bound(
        runs_.begin(), runs_.end(), place,
        [](uint64_t p, const Run& run) { return p < run.first; });
    if (next == runs_.begin()) return place;
    const Run& last = *(next - 1);
    if (place < last.first + last.count) return last.first - last.before;
    return place - last.before - last.count;
  }
  bool empty() const { return runs_.empty(); }
  bool Contains(uint64_t place) const {
    const auto next = std::upper_bound(
        runs_.begin(), runs_.end(), place,
        [](uint64_t p, const Run& run) { return p < run.first; });
    return next != runs_.begin() &&
           place < (next - 1)->first + (next - 1)->count;
  }

  bool operator==(const DroppedRuns&) const = default;

 private:
  std::vector<Run> runs_;
};

}  // namespace inkstream::store

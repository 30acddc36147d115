#include "server/batch/view/interval_set.h"

#include <algorithm>
#include <limits>

namespace inkstream::batch {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

// 64 flags, one a value, in one word. A loop over fixed 64 without branches is
// one that compilers turn into vector instructions.
template <typename Test>
uint64_t Flags(const int64_t* values, size_t count, const Test& test) {
  uint64_t word = 0;
  for (size_t i = 0; i < count; ++i) {
    word |= static_cast<uint64_t>(test(values[i])) << i;
  }
  return word;
}

}  // namespace

IntervalSet::IntervalSet(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end());
  for (const Range& range : ranges) {
    if (range.first > range.second) continue;
    if (ranges_.empty() || (ranges_.back().second != kMax &&
                            ranges_.back().second + 1 < range.first)) {
      ranges_.push_back(range);
    } else {
      ranges_.back().second = std::max(ranges_.back().second, range.second);
    }
  }
}

IntervalSet IntervalSet::WithoutThese(const Range& domain) const {
  std::vector<Range> rest;
  int64_t next = domain.first;
  for (const Range& range : ranges_) {
    if (range.second < next) continue;
    if (range.first > domain.second) break;
    if (range.first != kMin) rest.emplace_back(next, range.first - 1);
    if (range.second >= domain.second) return IntervalSet(std::move(rest));
    next = range.second + 1;
  }
  rest.emplace_back(next, domain.second);
  return IntervalSet(std::move(rest));
}

bool IntervalSet::Contains(int64_t value) const {
  const auto after = std::upper_bound(
      ranges_.begin(), ranges_.end(), value,
      [](int64_t v, const Range& range) { return v < range.first; });
  return after != ranges_.begin() && value <= std::prev(after)->second;
}

void IntervalSet::ClearOthers(absl::Span<const int64_t> values,
                              absl::Span<uint64_t> mask) const {
  for (size_t w = 0; w < mask.size(); ++w) {
    if (mask[w] == 0) continue;
    const int64_t* const from = values.data() + 64 * w;
    const size_t count = std::min<size_t>(64, values.size() - 64 * w);
    if (ranges_.size() == 1) {
      const uint64_t low = static_cast<uint64_t>(ranges_[0].first);
      const uint64_t width = static_cast<uint64_t>(ranges_[0].second) - low;
      mask[w] &= Flags(from, count, [=](int64_t value) {
        return static_cast<uint64_t>(value) - low <= width;
      });
    } else {
      mask[w] &=
          Flags(from, count, [this](int64_t value) { return Contains(value); });
    }
  }
}

}  // namespace inkstream::batch

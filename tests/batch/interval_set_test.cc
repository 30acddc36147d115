#include "server/batch/view/interval_set.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <vector>

#include "absl/types/span.h"

namespace inkstream::batch {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(IntervalSetTest, RangesThatTouchOrOverlapAreOne) {
  const IntervalSet set({{5, 7}, {8, 9}, {1, 2}, {6, 6}, {4, 3}});
  const std::vector<IntervalSet::Range> wanted = {{1, 2}, {5, 9}};
  EXPECT_EQ(set.ranges(), wanted);
}

TEST(IntervalSetTest, TheRestOfADomainIsExactAtItsEnds) {
  const IntervalSet all({{kMin, kMax}});
  EXPECT_TRUE(all.WithoutThese({0, kMax}).ranges().empty());
  const IntervalSet none({});
  EXPECT_EQ(none.WithoutThese({0, 5}).ranges().size(), 1U);
  const IntervalSet ends({{0, 0}, {kMax, kMax}});
  const std::vector<IntervalSet::Range> wanted = {{1, kMax - 1}};
  EXPECT_EQ(ends.WithoutThese({0, kMax}).ranges(), wanted);
}

TEST(IntervalSetTest, TheLoopOverManyAgreesWithASetOfValues) {
  std::vector<int64_t> values = {kMin, kMax, -1, 0};
  for (int64_t v = -100; v < 100; ++v) values.push_back(v);
  const std::vector<std::vector<IntervalSet::Range>> cases = {
      {},
      {{0, 0}},
      {{-5, 50}},
      {{kMin, 3}},
      {{7, kMax}},
      {{kMin, kMax}},
      {{-9, -9}, {3, 4}, {60, 99}}};
  for (const auto& ranges : cases) {
    const IntervalSet set(ranges);
    std::vector<uint64_t> mask((values.size() + 63) / 64, ~uint64_t{0});
    mask.back() = (uint64_t{1} << (values.size() % 64)) - 1;
    set.ClearOthers(values, absl::MakeSpan(mask));
    for (size_t i = 0; i < values.size(); ++i) {
      bool wanted = false;
      for (const auto& [low, high] : ranges) {
        wanted |= values[i] >= low && values[i] <= high;
      }
      EXPECT_EQ((mask[i / 64] >> (i % 64)) & 1U, wanted ? 1U : 0U) << values[i];
      EXPECT_EQ(set.Contains(values[i]), wanted) << values[i];
    }
  }
}

}  // namespace
}  // namespace inkstream::batch

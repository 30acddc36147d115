#include "server/store/writing/split_hash.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/sample_drawings.h"

namespace inkstream::store {
namespace {

// These decide which drawings people evaluate on: they must never change.
TEST(SplitHash, IsTheSameForEver) {
  EXPECT_EQ(SplitHashOfKey(1), UINT64_C(7305087974498371918));
  EXPECT_EQ(SplitHashOfKey(4897919444451328), UINT64_C(3293007855780785978));
  EXPECT_EQ(SplitHashOfStrokes(ByteCopy(OneStroke({1, 2}, {3, 4})).strokes),
            UINT64_C(14824446708955344251));
}

TEST(SplitHash, ManyKeysAtOnceAreEachAlone) {
  std::vector<int64_t> keys;
  for (int64_t i = 1; i <= 200; ++i) keys.push_back(i * 23479238472983);
  for (const size_t count : {0, 1, 64, 65, 200}) {
    std::vector<int64_t> hashes(keys.begin(), keys.begin() + count);
    SplitHashesOfKeys(absl::MakeSpan(hashes));
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(static_cast<uint64_t>(hashes[i]), SplitHashOfKey(keys[i]));
    }
  }
}

TEST(SplitHash, SplitsGetTheirFractions) {
  const auto splits = MakeSplits({{"a", 0.5}, {"b", 0.3}, {"c", 0.1}});
  ASSERT_TRUE(splits.ok()) << splits.status();
  std::vector<int> counts(4);
  for (int64_t key = 1; key <= 100000; ++key) {
    const uint64_t hash = SplitHashOfKey(key << 20);
    size_t s = 0;
    while (s < 3 && !InSplit((*splits)[s], hash)) ++s;
    ++counts[s];
  }
  // Five standard deviations.
  EXPECT_NEAR(counts[0], 50000, 800);
  EXPECT_NEAR(counts[1], 30000, 730);
  EXPECT_NEAR(counts[2], 10000, 480);
  EXPECT_NEAR(counts[3], 10000, 480);
}

TEST(SplitHash, FractionsThatSumToOneLeaveNothingOut) {
  for (const auto& fractions : {std::vector<SplitFraction>{},
                                {{"a", 0.9}, {"b", 0.05}, {"c", 0.05}},
                                {{"a", 0.1}, {"b", 0.2}, {"c", 0.7}}}) {
    const auto splits = MakeSplits(fractions);
    ASSERT_TRUE(splits.ok()) << splits.status();
    EXPECT_EQ(splits->front().low, 0);
    EXPECT_TRUE(InSplit(splits->back(), UINT64_MAX));
    for (size_t s = 1; s < splits->size(); ++s) {
      EXPECT_EQ((*splits)[s].low, (*splits)[s - 1].high);
    }
  }
}

TEST(SplitHash, RulesSayWhatTheyDo) {
  const auto splits = MakeSplits({{"train", 0.9}, {"valid", 0.05}});
  EXPECT_EQ((*splits)[0].rule, "hash:inkstream/1:[0,0.9)");
  EXPECT_EQ((*splits)[1].rule, "hash:inkstream/1:[0.9,0.95)");
  EXPECT_EQ((*splits)[0].high, UINT64_C(0xe666666666666800));
}

}  // namespace
}  // namespace inkstream::store

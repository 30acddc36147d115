#include "server/store/strokes/prefix_code.h"

#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::store {
namespace {

using ::testing::ElementsAre;

TEST(PrefixCode, FrequentSymbolsGetShortCodes) {
  EXPECT_THAT(OptimalCodeLengths({8, 4, 2, 1, 1}, 8),
              ElementsAre(1, 2, 3, 4, 4));
  EXPECT_THAT(OptimalCodeLengths({1, 1, 1, 1}, 8), ElementsAre(2, 2, 2, 2));
}

TEST(PrefixCode, TheLongestCodeKeepsToTheLimit) {
  std::vector<uint32_t> fibonacci = {1, 1};
  while (fibonacci.size() < 28) {
    fibonacci.push_back(fibonacci.end()[-1] + fibonacci.end()[-2]);
  }
  for (const int limit : {5, 6, 8, 12}) {
    const std::vector<uint8_t> lengths = OptimalCodeLengths(fibonacci, limit);
    EXPECT_TRUE(IsCompleteCode(lengths, limit)) << limit;
  }
}

TEST(PrefixCode, CodesAreCompleteWhateverTheCounts) {
  std::mt19937 random(3);
  for (int i = 0; i < 200; ++i) {
    std::vector<uint32_t> counts(2 + random() % 59);
    for (uint32_t& count : counts) count = random() >> (random() % 33 % 32);
    const std::vector<uint8_t> lengths = OptimalCodeLengths(counts, 10);
    ASSERT_TRUE(IsCompleteCode(lengths, 10));
    const std::vector<uint16_t> codes = CanonicalCodes(lengths);
    for (size_t a = 0; a < codes.size(); ++a) {
      for (size_t b = 0; b < codes.size(); ++b) {
        if (a == b || lengths[a] > lengths[b]) continue;
        ASSERT_NE(codes[a], codes[b] >> (lengths[b] - lengths[a]));
      }
    }
  }
}

TEST(PrefixCode, IncompleteCodesAreNoticed) {
  EXPECT_FALSE(IsCompleteCode({1, 2}, 8));
  EXPECT_FALSE(IsCompleteCode({1, 1, 1}, 8));
  EXPECT_FALSE(IsCompleteCode({0, 1, 1}, 8));
  EXPECT_FALSE(IsCompleteCode({9, 9}, 8));
  EXPECT_TRUE(IsCompleteCode({1, 1}, 8));
}

TEST(PrefixCode, BitsTurnRound) {
  EXPECT_EQ(ReversedBits(0b1101, 4), 0b1011);
  EXPECT_EQ(ReversedBits(1, 8), 128);
}

}  // namespace
}  // namespace inkstream::store

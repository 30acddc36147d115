#include "server/order/permutation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <unordered_set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::order {
namespace {

std::vector<uint64_t> All(const Permutation& permutation) {
  std::vector<uint64_t> values(permutation.size());
  for (uint64_t i = 0; i < values.size(); ++i) {
    values[i] = permutation(i);
  }
  return values;
}

// Distance of the counts from equal ones, in standard deviations of the
// chi-square distribution (Wilson-Hilferty). |z| > 5 is one chance in two
// million; every seed here is fixed, so a passing test stays passing.
double ChiSquareZ(const std::vector<uint64_t>& counts) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double expected = total / static_cast<double>(counts.size());
  double chi = 0;
  for (const uint64_t count : counts) {
    chi += (static_cast<double>(count) - expected) *
           (static_cast<double>(count) - expected) / expected;
  }
  const double degrees = static_cast<double>(counts.size()) - 1;
  const double spread = 2 / (9 * degrees);
  return (std::cbrt(chi / degrees) - (1 - spread)) / std::sqrt(spread);
}

// [0, size) in `buckets` runs of nearly equal length.
uint64_t Bucket(uint64_t value, uint64_t size, uint64_t buckets) {
  return value * buckets / size;
}

class EverySize : public testing::TestWithParam<uint64_t> {};

TEST_P(EverySize, VisitsEveryDrawingOnce) {
  const uint64_t size = GetParam();
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
    for (const uint64_t epoch : {0, 1, 12345}) {
      std::vector<uint64_t> values = All(Permutation(size, seed, epoch));
      std::sort(values.begin(), values.end());
      for (uint64_t i = 0; i < size; ++i) {
        ASSERT_EQ(values[i], i) << "seed " << seed << " epoch " << epoch;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Permutation, EverySize,
                         testing::Values(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 31,
                                         32, 33, 63, 64, 65, 97, 255, 256, 257,
                                         4095, 4096, 4097, 7919, 65521, 65535,
                                         65536, 65537, 99991, 131071, 131072,
                                         131073));

class LargeSize : public testing::TestWithParam<uint64_t> {};

TEST_P(LargeSize, NeverRepeatsAndStaysInRange) {
  const uint64_t size = GetParam();
  const Permutation permutation(size, 17, 4);
  std::unordered_set<uint64_t> seen;
  const auto check = [&](uint64_t position) {
    const uint64_t value = permutation(position);
    ASSERT_LT(value, size);
    ASSERT_TRUE(seen.insert(value).second) << "position " << position;
  };
  constexpr uint64_t kSamples = 50'000;
  for (uint64_t i = 0; i < kSamples; ++i) {
    check(i);
    check(size - 1 - i);
    check(size / 2 + i);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Permutation, LargeSize,
    testing::Values(uint64_t{50'000'000}, (uint64_t{1} << 32U) - 1,
                    uint64_t{1} << 32U, (uint64_t{1} << 32U) + 1,
                    uint64_t{1'000'000'000'039}, (uint64_t{1} << 63U) - 25,
                    uint64_t{1} << 63U));

TEST(Permutation, OfFiftyMillionVisitsEveryDrawingOnce) {
  constexpr uint64_t kSize = 50'000'000;
  const Permutation permutation(kSize, 0, 0);
  std::vector<bool> seen(kSize);
  for (uint64_t i = 0; i < kSize; ++i) {
    const uint64_t value = permutation(i);
    ASSERT_LT(value, kSize);
    ASSERT_FALSE(seen[value]);
    seen[value] = true;
  }
}

// A change here changes every run that is resumed: raise the version in the
// first line of the canonical order plan with it.
TEST(Permutation, IsTheSameOnEveryPlatform) {
  using testing::ElementsAre;
  EXPECT_THAT(All(Permutation(1, 0, 0)), ElementsAre(0));
  EXPECT_THAT(All(Permutation(3, 0, 0)), ElementsAre(2, 1, 0));
  EXPECT_THAT(All(Permutation(5, 1, 0)), ElementsAre(3, 2, 4, 1, 0));
  EXPECT_THAT(All(Permutation(10, 0, 0)),
              ElementsAre(1, 4, 2, 6, 0, 8, 3, 7, 9, 5));
  EXPECT_THAT(All(Permutation(10, 0, 1)),
              ElementsAre(8, 0, 6, 2, 9, 7, 5, 3, 4, 1));
  EXPECT_THAT(All(Permutation(10, 1, 0)),
              ElementsAre(0, 6, 5, 7, 8, 2, 3, 1, 4, 9));

  const auto sample = [](uint64_t size, uint64_t seed, uint64_t epoch) {
    const Permutation p(size, seed, epoch);
    return std::vector<uint64_t>{p(0), p(1), p(size / 2), p(size - 1)};
  };
  EXPECT_THAT(sample(65535, 1, 2), ElementsAre(65252, 12880, 45895, 26760));
  EXPECT_THAT(sample(65536, 1, 2), ElementsAre(42562, 48355, 58880, 44679));
  EXPECT_THAT(sample(65537, 1, 2), ElementsAre(40483, 42810, 64042, 24439));
  EXPECT_THAT(sample(1000003, 7, 0),
              ElementsAre(473382, 220448, 603461, 575820));
  EXPECT_THAT(sample(50000000, 0, 0),
              ElementsAre(38239948, 37181590, 43223561, 46019474));
  EXPECT_THAT(sample(50000000, 0, 1),
              ElementsAre(28685596, 25488318, 4898393, 27914591));
  EXPECT_THAT(sample(50000000, 123456789, 7),
              ElementsAre(9692661, 14576997, 33283019, 45306369));
  EXPECT_THAT(
      sample(uint64_t{1} << 63U, ~uint64_t{0}, (uint64_t{1} << 63U) - 1),
      ElementsAre(8753404552035019328U, 5848519783647778625U,
                  7680544062287412257U, 4638835419248478319U));
  EXPECT_THAT(sample((uint64_t{1} << 63U) - 25, 3, 1),
              ElementsAre(5873846078107765102U, 4476407194575912885U,
                          5408786588972659497U, 2821157667684202184U));
}

class GoodShuffle : public testing::TestWithParam<uint64_t> {};

TEST_P(GoodShuffle, PositionSaysNothingAboutTheDrawing) {
  const uint64_t size = GetParam();
  constexpr uint64_t kBuckets = 32;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    const Permutation permutation(size, seed, 0);
    std::vector<uint64_t> counts(kBuckets * kBuckets);
    for (uint64_t i = 0; i < size; ++i) {
      ++counts[Bucket(i, size, kBuckets) * kBuckets +
               Bucket(permutation(i), size, kBuckets)];
    }
    // Rows and columns are fixed by the bijection, so the counts are a little
    // more even than independent draws: only the upper side is a defect.
    EXPECT_LT(ChiSquareZ(counts), 4) << "seed " << seed;
    EXPECT_GT(ChiSquareZ(counts), -6) << "seed " << seed << ": too even";
  }
}

// Lags of about sqrt(size) are those at which a network over two halves of
// that size would show its structure.
TEST_P(GoodShuffle, DifferencesOfNeighboursAreUniform) {
  const uint64_t size = GetParam();
  const auto root = static_cast<uint64_t>(std::sqrt(size));
  constexpr uint64_t kBuckets = 256;
  for (const uint64_t lag :
       {uint64_t{1}, uint64_t{2}, uint64_t{256}, root - 1, root, root + 1}) {
    const Permutation permutation(size, 11, 3);
    std::vector<uint64_t> counts(kBuckets);
    for (uint64_t i = 0; i + lag < size; ++i) {
      const uint64_t difference =
          (permutation(i + lag) + size - permutation(i)) % size;
      ++counts[Bucket(difference, size, kBuckets)];
    }
    EXPECT_LT(std::abs(ChiSquareZ(counts)), 4.5) << "lag " << lag;
  }
}

TEST_P(GoodShuffle, EpochsAndSeedsAreIndependent) {
  const uint64_t size = GetParam();
  constexpr uint64_t kBuckets = 32;
  const Permutation base(size, 5, 7);
  for (const Permutation& other :
       {Permutation(size, 5, 8), Permutation(size, 6, 7),
        Permutation(size, 7, 5)}) {
    std::vector<uint64_t> counts(kBuckets * kBuckets);
    for (uint64_t i = 0; i < size; ++i) {
      ++counts[Bucket(base(i), size, kBuckets) * kBuckets +
               Bucket(other(i), size, kBuckets)];
    }
    EXPECT_LT(ChiSquareZ(counts), 4);
    EXPECT_GT(ChiSquareZ(counts), -6);
  }
}

INSTANTIATE_TEST_SUITE_P(Permutation, GoodShuffle,
                         testing::Values(50'000, 99'991, 131'072, 131'073,
                                         1'000'000));

TEST(Permutation, FirstDrawingIsUniformOverSeedsAndEpochs) {
  constexpr uint64_t kBuckets = 100;
  constexpr uint64_t kDraws = 20'000;
  for (const uint64_t size : {uint64_t{100}, uint64_t{50'000'000}}) {
    std::vector<uint64_t> seeds(kBuckets);
    std::vector<uint64_t> epochs(kBuckets);
    std::vector<uint64_t> last(kBuckets);
    for (uint64_t i = 0; i < kDraws; ++i) {
      ++seeds[Bucket(Permutation(size, i, 0)(0), size, kBuckets)];
      ++epochs[Bucket(Permutation(size, 0, i)(0), size, kBuckets)];
      ++last[Bucket(Permutation(size, i, i)(size - 1), size, kBuckets)];
    }
    EXPECT_LT(std::abs(ChiSquareZ(seeds)), 4.5) << size;
    EXPECT_LT(std::abs(ChiSquareZ(epochs)), 4.5) << size;
    EXPECT_LT(std::abs(ChiSquareZ(last)), 4.5) << size;
  }
}

class SmallSize : public testing::TestWithParam<uint64_t> {};

TEST_P(SmallSize, EveryOrderIsEquallyLikely) {
  const uint64_t size = GetParam();
  uint64_t orders = 1;
  for (uint64_t i = 2; i <= size; ++i) {
    orders *= i;
  }
  const uint64_t draws = 100 * orders;
  std::map<std::vector<uint64_t>, uint64_t> seen;
  for (uint64_t i = 0; i < draws; ++i) {
    ++seen[All(Permutation(size, i / 10, i % 10))];
  }
  ASSERT_EQ(seen.size(), orders);
  std::vector<uint64_t> counts;
  for (const auto& [order, count] : seen) {
    counts.push_back(count);
  }
  EXPECT_LT(std::abs(ChiSquareZ(counts)), 4);
}

INSTANTIATE_TEST_SUITE_P(Permutation, SmallSize,
                         testing::Values(2, 3, 4, 5, 6, 7));

// A network whose rounds are all even permutations reaches half of the orders:
// no bucket count shows it.
TEST(Permutation, OddOrdersAreAsLikelyAsEvenOnes) {
  constexpr int kDraws = 4'000;
  for (const uint64_t size : {7, 9, 25, 26, 49, 121, 128, 1000}) {
    int odd = 0;
    for (int i = 0; i < kDraws; ++i) {
      const std::vector<uint64_t> values = All(Permutation(size, i, 3));
      std::vector<bool> seen(size);
      uint64_t cycles = 0;
      for (uint64_t start = 0; start < size; ++start) {
        if (!seen[start]) {
          ++cycles;
          for (uint64_t j = start; !seen[j]; j = values[j]) {
            seen[j] = true;
          }
        }
      }
      odd += static_cast<int>((size - cycles) % 2);
    }
    EXPECT_NEAR(odd, kDraws / 2, 5 * std::sqrt(kDraws) / 2) << size;
  }
}

TEST(Permutation, FirstTwoDrawingsAreEveryPairEquallyOften) {
  for (const uint64_t size : {8, 11, 16, 17, 40}) {
    std::vector<uint64_t> counts(size * (size - 1));
    const uint64_t draws = 50 * counts.size();
    for (uint64_t i = 0; i < draws; ++i) {
      const Permutation permutation(size, i, 1);
      const uint64_t a = permutation(0);
      const uint64_t b = permutation(1);
      ++counts[a * (size - 1) + (b > a ? b - 1 : b)];
    }
    EXPECT_LT(std::abs(ChiSquareZ(counts)), 4.5) << size;
  }
}

// A random permutation has one fixed point and H(n) cycles on average.
TEST(Permutation, HasTheFixedPointsOfARandomOne) {
  constexpr uint64_t kSize = 500;
  constexpr int kDraws = 2'000;
  uint64_t fixed = 0;
  for (int i = 0; i < kDraws; ++i) {
    const Permutation permutation(kSize, i, 0);
    for (uint64_t j = 0; j < kSize; ++j) {
      fixed += permutation(j) == j ? 1 : 0;
    }
  }
  // Poisson: the mean is kDraws, the deviation its root.
  EXPECT_NEAR(fixed, kDraws, 5 * std::sqrt(kDraws));
}

}  // namespace
}  // namespace inkstream::order

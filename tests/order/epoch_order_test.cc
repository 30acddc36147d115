#include "server/order/epoch_order.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/order/window_shuffle.h"

namespace inkstream::order {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(EpochOrder, FullIsThePermutationOfSeedAndEpoch) {
  const auto order = EpochOrder::Create({.seed = 9}, 1000, 4);
  ASSERT_TRUE(order.ok()) << order.status();
  const Permutation permutation(1000, 9, 4);
  for (uint64_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(order->RankAt(i), permutation(i));
  }
}

TEST(EpochOrder, NoneIsTheIndexOrderInEveryEpoch) {
  for (const uint64_t epoch : {0, 7}) {
    const auto order = EpochOrder::Create(
        {.seed = 9, .shuffle = ShuffleKind::kNone}, 100, epoch);
    ASSERT_TRUE(order.ok()) << order.status();
    for (uint64_t i = 0; i < 100; ++i) {
      ASSERT_EQ(order->RankAt(i), i);
    }
  }
}

TEST(EpochOrder, AWindowOfNothingIsRefused) {
  const auto order =
      EpochOrder::Create({.shuffle = ShuffleKind::kWindow}, 100, 0);
  EXPECT_EQ(order.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(order.status().message(),
              AllOf(HasSubstr("order.window"), HasSubstr("window:100000")));
}

TEST(EpochOrder, EveryShuffleGivesEachDrawingOnce) {
  for (const uint64_t size : {1, 2, 255, 256, 257, 511, 512, 1000, 5003}) {
    for (const uint64_t window : {1, 7, 256, 300, 1024, 100'000}) {
      for (const uint64_t epoch : {0, 1, 5}) {
        const OrderSpec spec = {.seed = 3,
                                .shuffle = ShuffleKind::kWindow,
                                .shuffle_window = window};
        const auto order = EpochOrder::Create(spec, size, epoch);
        std::vector<Pick> picks(size);
        order->PicksFrom(0, absl::MakeSpan(picks));
        std::vector<bool> seen(size);
        for (uint64_t i = 0; i < size; ++i) {
          ASSERT_LT(picks[i].rank, size);
          ASSERT_FALSE(seen[picks[i].rank]) << size << " " << window;
          seen[picks[i].rank] = true;
          ASSERT_EQ(picks[i].rank, order->RankAt(i));
        }
      }
    }
  }
}

TEST(EpochOrder, AWindowTouchesFewChunksAndEpochsDiffer) {
  const OrderSpec spec = {
      .seed = 1, .shuffle = ShuffleKind::kWindow, .shuffle_window = 1024};
  const auto order = EpochOrder::Create(spec, 100'000, 0);
  const auto next = EpochOrder::Create(spec, 100'000, 1);
  uint64_t moved = 0;
  for (uint64_t begin = 0; begin + 1024 <= 100'000; begin += 1024) {
    std::set<uint64_t> chunks;
    for (uint64_t i = begin; i < begin + 1024; ++i) {
      chunks.insert(order->RankAt(i) / WindowShuffle::kChunk);
      moved += order->RankAt(i) != next->RankAt(i) ? 1 : 0;
    }
    // Four whole ones, and one cut by the chunk that is not whole.
    EXPECT_LE(chunks.size(), 6U);
  }
  EXPECT_GT(moved, 95'000U);
}

TEST(EpochOrder, TheLastDrawingsAreNotAlwaysLast) {
  // 100 of 612 drawings make up the chunk that is not whole.
  std::set<uint64_t> places;
  for (uint64_t epoch = 0; epoch < 20; ++epoch) {
    const auto order = EpochOrder::Create(
        {.shuffle = ShuffleKind::kWindow, .shuffle_window = 1}, 612, epoch);
    for (uint64_t i = 0; i < 612; ++i) {
      if (order->RankAt(i) == 611) places.insert(i);
    }
  }
  EXPECT_EQ(places.size(), 3U);
}

// Draws from components of these sizes.
std::vector<Pick> PicksOf(const OrderSpec& spec, std::vector<uint64_t> sizes,
                          uint64_t epoch, Mixture* mixture) {
  *mixture = *Mixture::Create(spec.sampling, std::move(sizes));
  const auto order = EpochOrder::Create(
      spec, std::make_shared<const Mixture>(*mixture), epoch);
  std::vector<Pick> picks(order->size());
  order->PicksFrom(0, absl::MakeSpan(picks));
  return picks;
}

TEST(EpochOrder, MixturesDrawEachComponentByItsQuotaAndRepeatsCountUp) {
  const std::vector<std::vector<uint64_t>> cases = {
      {5},
      {1, 1},
      {3, 0, 7},
      {1000, 10, 1},
      {100, 100, 100, 100},
      {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
      {4000, 300, 77}};
  for (const std::vector<uint64_t>& sizes : cases) {
    for (const double alpha : {0.0, 0.3, 0.5, 1.0}) {
      for (const ShuffleKind shuffle :
           {ShuffleKind::kFull, ShuffleKind::kWindow, ShuffleKind::kNone}) {
        for (const uint64_t epoch : {0, 3}) {
          OrderSpec spec = {
              .seed = 11, .shuffle = shuffle, .shuffle_window = 100};
          spec.sampling = {SamplingKind::kBalanced, alpha};
          Mixture mixture;
          const std::vector<Pick> picks = PicksOf(spec, sizes, epoch, &mixture);
          ASSERT_EQ(picks.size(), mixture.size);
          std::map<std::pair<uint32_t, uint64_t>, uint64_t> came;
          std::vector<uint64_t> counts(sizes.size());
          for (const Pick& pick : picks) {
            ASSERT_LT(pick.rank, sizes[pick.component]);
            // Exactly how often it came before.
            ASSERT_EQ(pick.occurrence, (came[{pick.component, pick.rank}]++));
            ++counts[pick.component];
          }
          EXPECT_EQ(counts, mixture.quotas);
          for (const auto& [drawing, times] : came) {
            const uint64_t size = sizes[drawing.first];
            const uint64_t quota = mixture.quotas[drawing.first];
            EXPECT_GE(times, std::max<uint64_t>(quota / size, 1));
            EXPECT_LE(times, (quota + size - 1) / size);
          }
        }
      }
    }
  }
}

TEST(EpochOrder, AnyPositionIsReachedWithoutTheOnesBefore) {
  OrderSpec spec = {.seed = 5};
  spec.sampling = {SamplingKind::kWeights, 0, {1, 5, 0.25}};
  Mixture mixture;
  const std::vector<Pick> picks = PicksOf(spec, {900, 40, 2000}, 2, &mixture);
  const auto order =
      EpochOrder::Create(spec, std::make_shared<const Mixture>(mixture), 2);
  for (const uint64_t first : {0UL, 1UL, 255UL, 256UL, 1000UL, 2930UL}) {
    std::vector<Pick> some(20);
    order->PicksFrom(first, absl::MakeSpan(some));
    for (size_t i = 0; i < some.size(); ++i) {
      EXPECT_EQ(some[i], picks[(first + i) % picks.size()]);
    }
  }
}

TEST(RecommendedWindow, IsNoneWhereTheStoreStaysInMemory) {
  constexpr uint64_t kGiB = uint64_t{1} << 30U;
  EXPECT_EQ(RecommendedWindow(50'000'000, 4 * kGiB, 16 * kGiB), 0U);
  EXPECT_EQ(RecommendedWindow(50'000'000, 4 * kGiB, 0), 0U);  // not known
  EXPECT_EQ(RecommendedWindow(0, 0, kGiB), 0U);
  const uint64_t window = RecommendedWindow(50'000'000, 4 * kGiB, 2 * kGiB);
  EXPECT_EQ(window % WindowShuffle::kChunk, 0U);
  // 85 bytes a drawing, an eighth of two gibibytes.
  EXPECT_NEAR(static_cast<double>(window), kGiB / 4 / 85.0, 300);
  EXPECT_EQ(RecommendedWindow(50'000'000, 4 * kGiB, 64U << 20U), 98'560U);
  EXPECT_EQ(RecommendedWindow(50'000'000, 4 * kGiB, 1U << 20U), 65'536U);
  EXPECT_EQ(RecommendedWindow(1'000, kGiB, 64U << 20U), 1'000U);
}

TEST(EpochOrder, OfNothingIsRefused) {
  EXPECT_EQ(EpochOrder::Create({}, 0, 0).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(EpochOrder, OfMoreThanTheLimitIsRefused) {
  EXPECT_EQ(
      EpochOrder::Create({}, Permutation::kMaxSize + 1, 0).status().code(),
      absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace inkstream::order

#include "server/order/epoch_order.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

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

TEST(EpochOrder, WindowIsRefusedWithWhatIsOffered) {
  const auto order = EpochOrder::Create(
      {.shuffle = ShuffleKind::kWindow, .shuffle_window = 65536}, 100, 0);
  EXPECT_EQ(order.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(order.status().message(),
              AllOf(HasSubstr("order.shuffle"), HasSubstr("window:65536"),
                    HasSubstr("\"full\", \"none\"")));
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

#include "server/app/log/log_limiter.h"

#include <gtest/gtest.h>

namespace inkstream::app {
namespace {

TEST(LogLimiterTest, LetsABurstThroughThenSoManyASecondAndCountsTheRest) {
  LogLimiter limiter(/*burst=*/3, /*per_second=*/2);
  const LogLimiter::Clock::time_point start;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Take(start), 0U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.Take(start), std::nullopt);
  const auto later = start + std::chrono::milliseconds(600);
  EXPECT_EQ(limiter.Take(later), 5U);
  EXPECT_EQ(limiter.Take(later), std::nullopt);
  const auto much_later = start + std::chrono::hours(1);
  EXPECT_EQ(limiter.Take(much_later), 1U);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(limiter.Take(much_later), 0U);
  EXPECT_EQ(limiter.Take(much_later), std::nullopt) << "no more than a burst";
}

}  // namespace
}  // namespace inkstream::app

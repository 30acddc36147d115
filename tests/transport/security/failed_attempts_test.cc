#include "server/transport/security/failed_attempts.h"

#include <gtest/gtest.h>

#include <string>

namespace inkstream::transport {
namespace {

constexpr std::chrono::milliseconds kAtOnce{0};
constexpr uint32_t kMostWaiting = 20;

TEST(FailedAttemptsTest, APeerHasSoManyAnswersASecondAndOthersHaveTheirs) {
  FailedAttempts failed(kMostWaiting);
  const FailedAttempts::Clock::time_point now{};
  for (uint32_t i = 0; i < FailedAttempts::kAnswersASecond; ++i) {
    EXPECT_EQ(failed.Failed("a", now), kAtOnce);
  }
  EXPECT_EQ(failed.Failed("a", now), FailedAttempts::kPause);
  EXPECT_EQ(failed.Failed("b", now), kAtOnce);
  EXPECT_EQ(failed.Failed("a", now + std::chrono::milliseconds(999)),
            FailedAttempts::kPause);
  EXPECT_EQ(failed.Failed("a", now + std::chrono::seconds(1)), kAtOnce);
}

TEST(FailedAttemptsTest, NoMoreWaitThanMayBeOpen) {
  FailedAttempts failed(kMostWaiting);
  const FailedAttempts::Clock::time_point now{};
  uint32_t waiting = 0;
  for (uint32_t i = 0; i < 2 * kMostWaiting; ++i) {
    waiting += failed.Failed("a", now) == kAtOnce ? 0 : 1;
  }
  EXPECT_EQ(waiting, kMostWaiting);
  failed.Waited();
  EXPECT_EQ(failed.Failed("a", now), FailedAttempts::kPause);
  EXPECT_EQ(failed.Failed("a", now), kAtOnce);
}

TEST(FailedAttemptsTest, ManyPeersAreForgotten) {
  FailedAttempts failed(kMostWaiting);
  const FailedAttempts::Clock::time_point now{};
  for (size_t i = 0; i < 3 * FailedAttempts::kMostPeers; ++i) {
    EXPECT_EQ(failed.Failed(std::to_string(i), now), kAtOnce);
  }
}

}  // namespace
}  // namespace inkstream::transport

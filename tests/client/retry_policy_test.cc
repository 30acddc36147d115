#include "client/cpp/stream/retry_policy.h"

#include "absl/strings/cord.h"
#include "client/cpp/messages/status_conversion.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inkstream/errors.h"
#include "tests/support/fake_drawing_server.h"

namespace inkstream::client {
namespace {

using inkstream::testing::StatusWithReason;

const Moment kNow = Moment::Now();

TEST(FromGrpc, KeepsCodeMessageReasonAndDelay) {
  const absl::Status status = FromGrpc(
      StatusWithReason(grpc::StatusCode::RESOURCE_EXHAUSTED,
                       "too many streams: 3 of 3", "TOO_MANY_STREAMS", 1500));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "too many streams: 3 of 3");
  EXPECT_EQ(ErrorReason(status), "TOO_MANY_STREAMS");
  EXPECT_EQ(RetryDelay(status), absl::Milliseconds(1500));
}

TEST(FromGrpc, WithoutOrWithBrokenDetailsKeepsTheCode) {
  const absl::Status plain =
      FromGrpc(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such split"));
  EXPECT_EQ(plain.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrorReason(plain), "");
  EXPECT_EQ(RetryDelay(plain), std::nullopt);
  const absl::Status broken = FromGrpc(
      grpc::Status(grpc::StatusCode::DATA_LOSS, "bad record", "\xff\xff"));
  EXPECT_EQ(broken.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ErrorReason(broken), "");
}

TEST(RetryPolicy, OnlyUnavailableIsTriedAgain) {
  RetryPolicy policy(absl::Seconds(60), 3);
  policy.OnProgress();
  for (const absl::Status& status :
       {absl::InvalidArgumentError("a"), absl::FailedPreconditionError("b"),
        absl::ResourceExhaustedError("c"), absl::DataLossError("d"),
        absl::CancelledError("e"), absl::InternalError("f")}) {
    EXPECT_EQ(policy.OnFailure(status, kNow).status(), status);
  }
  EXPECT_TRUE(policy.OnFailure(absl::UnavailableError("g"), kNow).ok());
}

TEST(RetryPolicy, OpeningAsksEachTargetOnceAndAtOnce) {
  RetryPolicy policy(absl::Seconds(60), 3);
  const absl::Status gone = absl::UnavailableError("gone");
  EXPECT_EQ(*policy.OnFailure(gone, kNow), absl::ZeroDuration());
  EXPECT_EQ(*policy.OnFailure(gone, kNow), absl::ZeroDuration());
  EXPECT_EQ(policy.OnFailure(gone, kNow).status(), gone);
}

TEST(RetryPolicy, WaitsLongerEachTimeAndGivesUpInTheEnd) {
  RetryPolicy policy(absl::Seconds(60), 1);
  policy.OnProgress();
  const absl::Status gone = absl::UnavailableError("gone");
  Moment now = kNow;
  absl::Duration last;
  int tries = 0;
  for (;; ++tries) {
    ASSERT_LT(tries, 1000);
    const auto delay = policy.OnFailure(gone, now);
    if (!delay.ok()) {
      EXPECT_EQ(delay.status(), gone);
      break;
    }
    EXPECT_GT(*delay, absl::ZeroDuration());
    EXPECT_LE(*delay, absl::Seconds(3));
    last = *delay;
    now = now + *delay;
  }
  EXPECT_GT(tries, 20);
  EXPECT_GE(last, absl::Seconds(1.5));
  EXPECT_GT(now - kNow, absl::Seconds(56));
}

TEST(RetryPolicy, WaitsAsLongAsTheServerAsks) {
  RetryPolicy policy(absl::Seconds(60), 1);
  policy.OnProgress();
  const absl::Status busy = FromGrpc(StatusWithReason(
      grpc::StatusCode::UNAVAILABLE, "busy", "OVERLOADED", 10'000));
  EXPECT_EQ(*policy.OnFailure(busy, kNow), absl::Seconds(10));
}

TEST(RetryPolicy, AQuotaIsWaitedForButNotBeyondTheTimeout) {
  RetryPolicy policy(absl::Seconds(60), 2);
  const auto full = [](int millis) {
    return FromGrpc(StatusWithReason(grpc::StatusCode::RESOURCE_EXHAUSTED,
                                     "full", "TOO_MANY_STREAMS", millis));
  };
  const auto delay = policy.OnFailure(full(2000), kNow);
  ASSERT_TRUE(delay.ok()) << "also before the first progress";
  EXPECT_GE(*delay, absl::Seconds(2));
  EXPECT_LE(*delay, absl::Seconds(2.1));
  EXPECT_EQ(policy.OnFailure(full(100'000), kNow).status().message(), "full");
}

TEST(RetryPolicy, ZeroTimeoutNeverTriesAgain) {
  RetryPolicy policy(absl::ZeroDuration(), 2);
  policy.OnProgress();
  EXPECT_FALSE(policy.OnFailure(absl::UnavailableError("gone"), kNow).ok());
}

TEST(RetryPolicy, DataThatNoTargetHasIsAFailedPrecondition) {
  RetryPolicy policy(absl::Seconds(60), 2);
  policy.OnProgress();
  const absl::Status elsewhere = FromGrpc(
      StatusWithReason(grpc::StatusCode::UNAVAILABLE,
                       "generation 7 is not here", "GENERATION_NOT_HERE"));
  EXPECT_TRUE(policy.OnFailure(elsewhere, kNow).ok());
  const absl::Status status = policy.OnFailure(elsewhere, kNow).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(),
              ::testing::HasSubstr("generation 7 is not here"));
}

TEST(RetryPolicyTest, ATokenThatIsReadMayHaveBeenReplacedOnce) {
  const absl::Status refused = absl::UnauthenticatedError("taken back");
  RetryPolicy fixed(absl::Seconds(60), 1);
  fixed.OnProgress();
  EXPECT_EQ(fixed.OnFailure(refused, Moment::Now()).status(), refused);
  RetryPolicy read(absl::Seconds(60), 1, /*token_is_read=*/true);
  read.OnProgress();
  EXPECT_EQ(read.OnFailure(refused, Moment::Now()).value(),
            absl::ZeroDuration());
  EXPECT_EQ(read.OnFailure(refused, Moment::Now()).status(), refused);
  read.OnProgress();
  EXPECT_TRUE(read.OnFailure(refused, Moment::Now()).ok());
}

}  // namespace
}  // namespace inkstream::client

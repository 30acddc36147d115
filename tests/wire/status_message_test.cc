#include "server/wire/status_message.h"

#include <gtest/gtest.h>

#include "server/base/status_reason.h"

namespace inkstream::wire {
namespace {

TEST(StatusMessageTest, ReasonAndDelayComeBack) {
  const absl::Status status =
      WithRetryDelay(WithReason(absl::UnavailableError("go"), kReasonDrain),
                     absl::Milliseconds(1500));
  EXPECT_EQ(StatusOf(absl::StatusCode::kUnavailable, "go", DetailsOf(status)),
            status);
}

TEST(StatusMessageTest, WithoutReasonOrDelayThereIsNothingToTell) {
  EXPECT_EQ(DetailsOf(absl::NotFoundError("no such split")), "");
}

TEST(StatusMessageTest, DetailsThatDoNotParseAreLeftOut) {
  EXPECT_EQ(StatusOf(absl::StatusCode::kNotFound, "why", "\xff\xff"),
            absl::NotFoundError("why"));
}

TEST(StatusMessageTest, DetailsMakeNoErrorOfAnAnswer) {
  const std::string details =
      DetailsOf(WithReason(absl::UnavailableError("go"), kReasonDrain));
  EXPECT_TRUE(StatusOf(absl::StatusCode::kOk, "", details).ok());
}

}  // namespace
}  // namespace inkstream::wire

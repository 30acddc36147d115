#include "server/transport/grpc/calls/status_to_grpc.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

#include "server/base/status_reason.h"

namespace inkstream::transport {
namespace {

TEST(ToGrpcStatusTest, EveryCodeKeepsItsNumberAndText) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status =
        ToGrpcStatus(absl::Status(static_cast<absl::StatusCode>(code), "why"));
    EXPECT_EQ(status.error_code(), code);
    EXPECT_EQ(status.error_message(), "why");
    EXPECT_TRUE(status.error_details().empty());
  }
}

TEST(ToGrpcStatusTest, ReasonAndDelayTravelAsDetails) {
  const absl::Status status =
      WithRetryDelay(WithReason(absl::UnavailableError("go"), kReasonDrain),
                     absl::Milliseconds(1500));
  EXPECT_EQ(inkstream::ReasonOf(status), "DRAIN");
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(ToGrpcStatus(status).error_details()));
  EXPECT_EQ(details.code(), 14);
  ASSERT_EQ(details.details_size(), 2);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "DRAIN");
  EXPECT_EQ(info.domain(), "inkstream");
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.details(1).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
}

TEST(ToGrpcStatusTest, ALongTextIsCutBetweenCharacters) {
  std::string text(1999, 'a');
  for (int i = 0; i < 5000; ++i) text += "é";
  const grpc::Status status = ToGrpcStatus(absl::InvalidArgumentError(text));
  EXPECT_LT(status.error_message().size(), 2100U);
  EXPECT_EQ(status.error_message().substr(0, 1999), std::string(1999, 'a'));
  EXPECT_EQ(status.error_message().substr(1999), "…");
}

}  // namespace
}  // namespace inkstream::transport

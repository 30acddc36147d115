#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/wire/messages.h"
#include "tests/wire/filled_message.h"

namespace inkstream::wire {
namespace {

TEST(ImageMessageTest, EveryFieldComesBack) {
  const auto message = Filled<v1::Image>();
  const absl::StatusOr<ImageSpec> spec = ImageFromProto(message);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(Differences(message, ImageToProto(*spec)), "");
}

TEST(ImageMessageTest, WhatIsNotSetIsTheDefault) {
  v1::Image message;
  message.set_height(28);
  EXPECT_EQ(*ImageFromProto(message), ImageSpec());  // as wide as high
}

TEST(ImageMessageTest, NumbersOfNoValueAreRefusedByName) {
  v1::Image message;
  message.set_fit(static_cast<v1::Image::Fit>(9));
  const absl::Status status = ImageFromProto(message).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("delivery.image.fit: 9"));
}

}  // namespace
}  // namespace inkstream::wire

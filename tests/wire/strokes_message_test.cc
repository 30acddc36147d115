#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/wire/messages.h"
#include "tests/wire/filled_message.h"

namespace inkstream::wire {
namespace {

TEST(StrokesMessageTest, EveryFieldComesBack) {
  const auto message = Filled<v1::Strokes>();
  const absl::StatusOr<StrokesSpec> spec = StrokesFromProto(message);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(Differences(message, StrokesToProto(*spec)), "");
  EXPECT_EQ(*StrokesFromProto(StrokesToProto(*spec)), *spec);
}

TEST(StrokesMessageTest, WhatIsNotSetIsTheDefault) {
  StrokesSpec expected;
  expected.max_len = 0;
  EXPECT_EQ(*StrokesFromProto(v1::Strokes()), expected);
  EXPECT_FALSE(StrokesToProto(StrokesSpec()).has_start_token());
}

}  // namespace
}  // namespace inkstream::wire

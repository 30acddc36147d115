#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/wire/messages.h"
#include "tests/wire/filled_message.h"

namespace inkstream::wire {
namespace {

TEST(ViewMessageTest, EveryFieldComesBack) {
  const auto message = Filled<v1::View>();
  const absl::StatusOr<View> view = ViewFromProto(message);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(Differences(message, ViewToProto(*view)), "");
}

TEST(ViewMessageTest, EverythingIsAnEmptyMessage) {
  EXPECT_EQ(*ViewFromProto(v1::View()), View());
  EXPECT_EQ(ViewToProto(View()).ByteSizeLong(), 0U);
}

TEST(ViewMessageTest, OperatorsOfNoValueAreRefusedByTheirPlace) {
  auto message = Filled<v1::View>();
  message.add_where()->set_op(static_cast<v1::Where::Op>(99));
  EXPECT_THAT(std::string(ViewFromProto(message).status().message()),
              ::testing::HasSubstr("view.where[1].op: 99"));
}

}  // namespace
}  // namespace inkstream::wire

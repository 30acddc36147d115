#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/wire/messages.h"
#include "tests/wire/filled_message.h"

namespace inkstream::wire {
namespace {

TEST(CursorMessageTest, EveryFieldComesBack) {
  const auto message = Filled<v1::Cursor>();
  v1::Cursor back;
  CursorToProto(CursorFromProto(message), &back);
  EXPECT_EQ(Differences(message, back), "");
}

}  // namespace
}  // namespace inkstream::wire

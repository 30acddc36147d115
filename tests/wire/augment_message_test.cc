#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/wire/messages.h"
#include "tests/wire/filled_message.h"

namespace inkstream::wire {
namespace {

TEST(AugmentMessageTest, EveryFieldComesBack) {
  const auto message = Filled<v1::Augment>();
  EXPECT_EQ(Differences(message, AugmentToProto(AugmentFromProto(message))),
            "");
}

TEST(AugmentMessageTest, RangesThatAreNotSetChangeNothing) {
  EXPECT_EQ(AugmentFromProto(v1::Augment()), AugmentSpec());
}

}  // namespace
}  // namespace inkstream::wire

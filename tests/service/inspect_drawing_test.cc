#include "server/service/inspect_drawing.h"

#include <gtest/gtest.h>

namespace inkstream::service {
namespace {

TEST(TimestampTextTest, IsWrittenAsTheSourceWroteIt) {
  constexpr int64_t kSecond = 1'489'019'335;
  EXPECT_EQ(TimestampText({kSecond * 1'000'000 + 637'750, 0}),
            "2017-03-09 00:28:55.63775 UTC");
  EXPECT_EQ(TimestampText({kSecond * 1'000'000 + 637'750, 1}),
            "2017-03-09 00:28:55.637750 UTC");
  EXPECT_EQ(TimestampText({kSecond * 1'000'000 + 42, 0}),
            "2017-03-09 00:28:55.000042 UTC");
  EXPECT_EQ(TimestampText({kSecond * 1'000'000, 0}), "2017-03-09 00:28:55 UTC");
  EXPECT_EQ(TimestampText({-1, 0}), "1969-12-31 23:59:59.999999 UTC");
}

}  // namespace
}  // namespace inkstream::service

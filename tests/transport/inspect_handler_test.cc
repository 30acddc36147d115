#include "server/transport/grpc/inspect_handler.h"

#include <gtest/gtest.h>

#include "server/transport/bottleneck.h"

namespace inkstream::transport {
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

TEST(BottleneckTest, NamesWhoeverWasWaitedForLongest) {
  StreamReport report;
  report.seconds = 0.1;
  EXPECT_NE(BottleneckOf(report).find("too young"), std::string::npos);
  report.seconds = 10;
  EXPECT_NE(BottleneckOf(report).find("Nobody"), std::string::npos);
  report.waited.client = 6;
  EXPECT_EQ(BottleneckOf(report),
            "The client is the bottleneck: for 60 % of the time it had granted "
            "no credit for another batch.");
  report.waited.workers = 7;
  EXPECT_NE(BottleneckOf(report).find("The server is"), std::string::npos);
  report.waited.store = 5;
  EXPECT_NE(BottleneckOf(report).find("The store's disk is"),
            std::string::npos);
  report.waited_network = 9;
  EXPECT_NE(BottleneckOf(report).find("The network or"), std::string::npos);
}

}  // namespace
}  // namespace inkstream::transport

#include "server/transport/status/bottleneck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inkstream::transport {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(BottleneckTest, NamesWhoeverWasWaitedForLongest) {
  StreamReport report;
  report.seconds = 0.1;
  EXPECT_THAT(BottleneckOf(report), HasSubstr("too young"));
  report.seconds = 30;
  EXPECT_THAT(BottleneckOf(report), HasSubstr("Nobody"));
  report.waited.client = 2.9;
  EXPECT_THAT(BottleneckOf(report), HasSubstr("Nobody"));
  report.waited.client = 3.1;
  EXPECT_THAT(BottleneckOf(report), StartsWith("The client is"));
  report.waited.client = 6;
  EXPECT_EQ(BottleneckOf(report),
            "The client is the bottleneck: for 20 % of the time it had granted "
            "no credit for another batch.");
  report.waited_network = 7;
  EXPECT_THAT(BottleneckOf(report), StartsWith("The network or"));
  report.opening = 8;
  EXPECT_THAT(BottleneckOf(report), StartsWith("Opening is"));
}

TEST(BottleneckTest, PartsOfTheServerAreTakenTogetherAndTheLargestIsNamed) {
  StreamReport report;
  report.seconds = 10;
  report.waited_network = 3;
  report.waited.disk = 3.1;
  EXPECT_THAT(BottleneckOf(report), StartsWith("The store's disk is"));
  report.waited.disk = 0;
  report.waited.draw = 2;
  report.waited.decode = 1.5;
  report.waited.pack = 1;
  EXPECT_EQ(BottleneckOf(report),
            "The server's drawing is the bottleneck: for 45 % of the time the "
            "stream waited for the server, mostly because a batch was being "
            "drawn.");
  report.waited.decode = 2.5;
  EXPECT_THAT(BottleneckOf(report), StartsWith("The server's decoding is"));
  report.waited.disk = 2.6;
  EXPECT_THAT(BottleneckOf(report), StartsWith("The store's disk is"));
  report.waited.queue = 2.7;
  EXPECT_THAT(BottleneckOf(report), StartsWith("The server's workers"));
  report.waited.memory = 2.8;
  EXPECT_THAT(BottleneckOf(report), StartsWith("The server's memory is"));
  report.waited.pack = 2.9;
  EXPECT_THAT(BottleneckOf(report), StartsWith("The server's packing is"));
}

}  // namespace
}  // namespace inkstream::transport

#include "server/app/commands/progress_display.h"

#include "gtest/gtest.h"

namespace inkstream::app {
namespace {

TEST(ProgressDisplayTest, ALineHasBarRateBytesAndTimeLeft) {
  const ProgressState state = {1500000, 25U << 20U, 100U << 20U, true};
  EXPECT_EQ(ProgressLine("ingest", state, 10, 200),
            "ingest [####------------] 25% 1,500,000 drawings, "
            "150,000/s, 25/100 MiB, 0:30 left");
}

TEST(ProgressDisplayTest, WithoutATotalThereIsNoBar) {
  const ProgressState state = {1000, 5U << 20U, 0, true};
  EXPECT_EQ(ProgressLine("ingest", state, 2, 200),
            "ingest 1,000 drawings, 500/s, 5 MiB");
}

TEST(ProgressDisplayTest, LongTimesShowHours) {
  const ProgressState state = {1, 1, 100, false};
  EXPECT_EQ(ProgressLine("verify", state, 60, 200),
            "verify [----------------] 1% 1 drawings, 0/s, 1:39:00 "
            "left");
}

TEST(ProgressDisplayTest, NarrowTerminalsAndOverrunsAreHarmless) {
  EXPECT_EQ(ProgressLine("ingest", {10, 20, 10, false}, 1, 20).size(), 20);
  EXPECT_EQ(ProgressLine("x", {10, 20, 10, false}, 1, 200),
            "x [################] 100% 10 drawings, 10/s, 0:00 left");
}

TEST(ProgressDisplayTest, ThousandsAreSet) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(50426266), "50,426,266");
}

}  // namespace
}  // namespace inkstream::app

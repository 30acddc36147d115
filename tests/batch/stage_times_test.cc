#include "server/batch/job/stage_times.h"

#include <gtest/gtest.h>

#include <thread>

#include "server/batch/job/wait_clock.h"

namespace inkstream::batch {
namespace {

constexpr int64_t kMilli = 1'000'000;

ThreadUsage After(int64_t wall_millis, int64_t cpu_millis, int64_t faults) {
  return {wall_millis * kMilli, cpu_millis * kMilli, faults};
}

TEST(StageTimesTest, ADiskIsBlamedForMajorFaultsAlone) {
  // Off the processor for 6 of 10 ms: others ran.
  const StageTimes warm =
      StagesOf(After(0, 0, 7), After(2, 1, 7), After(10, 4, 7), 0.003, 0);
  EXPECT_EQ(warm.disk, 0);
  EXPECT_NEAR(warm.decode, 0.005, 1e-9);
  EXPECT_NEAR(warm.draw, 0.005, 1e-9);
  // A fault while records were found: not for 2 ms that were lost in drawing.
  const StageTimes cold =
      StagesOf(After(0, 0, 7), After(5, 1, 9), After(10, 4, 9), 0.001, 0);
  EXPECT_NEAR(cold.disk, 0.004, 1e-9);
  EXPECT_NEAR(cold.decode, 0.002, 1e-9);
  EXPECT_NEAR(cold.draw, 0.004, 1e-9);
  // One while they were decoded: the page had gone again.
  const StageTimes again =
      StagesOf(After(0, 0, 7), After(1, 1, 7), After(10, 4, 8), 0.007, 0);
  EXPECT_NEAR(again.disk, 0.006, 1e-9);
  EXPECT_NEAR(again.decode, 0.002, 1e-9);
  EXPECT_NEAR(again.draw, 0.002, 1e-9);
}

TEST(StageTimesTest, TheyAddUpToTheWholeWhateverWasMeasured) {
  for (const double decoding : {0.0, 0.004, 1.0}) {
    for (const double packing : {0.0, 0.004, 1.0}) {
      for (const int64_t faults : {0, 3}) {
        const StageTimes times =
            StagesOf(After(0, 0, 0), After(4, 3, faults), After(10, 8, faults),
                     decoding, packing);
        EXPECT_NEAR(times.sum(), 0.01, 1e-9);
        for (const double part :
             {times.disk, times.decode, times.draw, times.pack}) {
          EXPECT_GE(part, 0);
        }
      }
    }
  }
}

TEST(StageTimesTest, AThreadThatWorksHasUsedProcessorTime) {
  const ThreadUsage begin = ThreadUsage::Now();
  ThreadUsage end = begin;
  while (end.cpu_nanos == begin.cpu_nanos) end = ThreadUsage::Now();
  EXPECT_GT(end.wall_nanos, begin.wall_nanos);
}

TEST(WaitClockTest, StatesExcludeEachOtherAndAddUp) {
  using State = WaitClock::State;
  const auto seconds_since = [](std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                         start)
        .count();
  };
  const auto before = std::chrono::steady_clock::now();
  WaitClock clock;
  const auto after = std::chrono::steady_clock::now();
  const auto let_pass = [] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  };
  let_pass();
  clock.Enter(State::kMemory);
  let_pass();
  clock.Enter(State::kQueue);
  let_pass();
  clock.Enter(State::kWork);
  let_pass();
  clock.Enter(State::kClient);
  // All of the work: what comes behind a split is not told before the next one.
  clock.Split({.disk = 1, .decode = 2, .draw = 0, .pack = 1});
  const double least = seconds_since(after);
  const WaitTimes times = clock.times();
  const double most = seconds_since(before);
  EXPECT_GE(times.client, 0.002);
  EXPECT_GE(times.memory, 0.002);
  EXPECT_GE(times.queue, 0.002);
  EXPECT_GE(times.disk + times.decode + times.pack, 0.002);
  EXPECT_NEAR(times.decode, 2 * times.disk, 1e-9);
  EXPECT_NEAR(times.pack, times.disk, 1e-9);
  EXPECT_EQ(times.draw, 0);
  EXPECT_GE(times.sum(), least - 1e-9);
  EXPECT_LE(times.sum(), most + 1e-9);
}

}  // namespace
}  // namespace inkstream::batch

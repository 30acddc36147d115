#include "server/base/sleeping_turns.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "tests/support/hung_disk.h"

namespace inkstream {
namespace {

// How many turns of `disk` fall asleep until it has no room.
int FallAsleep(SleepingTurns* turns, const std::string& disk, int threads) {
  int fallen = 0;
  for (; turns->HasRoom(disk, threads); ++fallen) {
    turns->Begin(disk);
    turns->Sleep(disk);
  }
  return fallen;
}

TEST(SleepingTurnsTest, ADiskHasAsManyAsThereAreThreadsAndLeavesHalfOfTheRest) {
  SleepingTurns turns;
  EXPECT_EQ(SleepingTurns::Most(16), 32);
  EXPECT_EQ(FallAsleep(&turns, "a", 16), 16);
  EXPECT_EQ(FallAsleep(&turns, "b", 16), 8);
  EXPECT_EQ(FallAsleep(&turns, "c", 16), 4);
  EXPECT_EQ(FallAsleep(&turns, "d", 16), 2);
  EXPECT_EQ(FallAsleep(&turns, "e", 16), 1);
  EXPECT_EQ(turns.all(), 31);
}

TEST(SleepingTurnsTest, OneOfADiskMayAlwaysBegin) {
  SleepingTurns turns;
  for (const char* disk : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    EXPECT_GE(FallAsleep(&turns, disk, 1), 1) << disk;
  }
  EXPECT_TRUE(turns.HasRoom("i", 1));
  EXPECT_TRUE(turns.HasRoom("", 1));
}

TEST(SleepingTurnsTest, WhoWakesMakesRoom) {
  SleepingTurns turns;
  FallAsleep(&turns, "a", 2);
  EXPECT_FALSE(turns.HasRoom("a", 2));
  turns.Wake("a");
  EXPECT_FALSE(turns.HasRoom("a", 2)) << "its turn goes on";
  turns.End("a");
  EXPECT_TRUE(turns.HasRoom("a", 2));
  turns.Wake("a");
  turns.End("a");
  EXPECT_EQ(turns.all(), 0);
}

TEST(SleepingTurnsTest, ADiskThatWasSeenToBeSlowIsSoForAWhile) {
  SleepingTurns turns;
  EXPECT_FALSE(turns.IsSlow("a"));
  turns.Begin("a");
  turns.Sleep("a");
  EXPECT_FALSE(turns.IsSlow("a"));
  turns.NoteSlow("a");
  EXPECT_TRUE(turns.IsSlow("a"));
  EXPECT_FALSE(turns.IsSlow("b"));
}

TEST(SleepingTurnsTest, AThreadThatReadsSleepsAndOneThatRunsDoesNot) {
  testing::HungDisk disk;
  pid_t id = 0;
  std::thread reader([&] {
    id = gettid();
    disk.Read();
  });
  EXPECT_TRUE(
      testing::Soon([&] { return disk.begun() == 1 && ThreadSleeps(id); }));
  EXPECT_FALSE(ThreadSleeps(gettid()));
  const int64_t before = ThreadCpuNanos(gettid());
  EXPECT_TRUE(testing::Soon(
      [&] { return ThreadCpuNanos(gettid()) > before + 1'000'000; }));
  EXPECT_LT(ThreadCpuNanos(id), 1'000'000'000);
  disk.Answer();
  reader.join();
}

}  // namespace
}  // namespace inkstream

#include "server/batch/work/request_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/base/status_reason.h"
#include "server/batch/work/parked_request.h"
#include "tests/support/hung_disk.h"

namespace inkstream::batch {
namespace {

TEST(RequestThreadsTest, WhatWaitsIsPricedByItsLength) {
  RequestThreads threads(1000);
  std::promise<void> open;
  const auto opened = open.get_future().share();
  const auto wait = [opened](WorkerScratch*) { opened.wait(); };
  EXPECT_TRUE(threads.Run("one", 600, wait).ok());
  EXPECT_TRUE(threads.Run("other", 400, wait).ok());
  const absl::Status refused = threads.Run("third", 1, wait);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), kReasonOverloaded);
  EXPECT_TRUE(RetryDelayOf(refused).has_value());
  EXPECT_TRUE(threads.Run("third", 0, wait).ok());
  open.set_value();
  // What has run takes nothing any more.
  while (!threads.Run("one", 1000, [](WorkerScratch*) {}).ok()) {
    std::this_thread::yield();
  }
}

TEST(RequestThreadsTest, OneCallerLeavesAnEighthToOthersAndTheyTakeTurns) {
  RequestThreads threads(1000);
  std::promise<void> open;
  const auto opened = open.get_future().share();
  std::atomic<int> ran{0};
  std::atomic<int> before_newcomer{-1};
  std::promise<void> answered;
  const auto work = [&](WorkerScratch*) {
    opened.wait();
    ++ran;
  };
  for (int i = 0; i < 875; ++i) EXPECT_TRUE(threads.Run("busy", 1, work).ok());
  EXPECT_EQ(ReasonOf(threads.Run("busy", 1, work)), kReasonOverloaded);
  ASSERT_TRUE(threads
                  .Run("newcomer", 100,
                       [&](WorkerScratch*) {
                         before_newcomer = ran.load();
                         answered.set_value();
                       })
                  .ok());
  open.set_value();
  answered.get_future().wait();
  // Those that two threads had begun, and a turn of the other's.
  EXPECT_LE(before_newcomer, 4);
  threads.Stop();
}

TEST(RequestThreadsTest, OneByItselfAlwaysHasRoom) {
  RequestThreads threads(1000);
  std::promise<void> open;
  const auto opened = open.get_future().share();
  const auto wait = [opened](WorkerScratch*) { opened.wait(); };
  EXPECT_TRUE(threads.Run("", 4000, wait).ok());
  EXPECT_FALSE(threads.Run("", 1, wait).ok());
  open.set_value();
}

TEST(RequestThreadsTest, AParkedRequestHoldsNoThreadAndIsRunAgain) {
  RequestThreads threads(1000);
  std::vector<std::shared_ptr<ParkedRequest>> parked;
  std::mutex mu;
  std::atomic<int> runs{0};
  std::promise<void> done;
  for (int i = 0; i < 8; ++i) {
    const absl::Status status = threads.Run(
        "", 0,
        [&, first = std::make_shared<std::atomic<bool>>(true)](WorkerScratch*) {
          if (first->exchange(false)) {
            const std::lock_guard<std::mutex> lock(mu);
            parked.push_back(CurrentRequest());
            return;
          }
          if (++runs == 8) done.set_value();
        });
    ASSERT_TRUE(status.ok());
  }
  // Behind those eight, on two threads.
  std::promise<void> other;
  ASSERT_TRUE(
      threads.Run("third", 0, [&](WorkerScratch*) { other.set_value(); }).ok());
  other.get_future().wait();
  EXPECT_EQ(runs, 0);
  size_t resumed = 0;
  while (resumed < 8) {
    std::vector<std::shared_ptr<ParkedRequest>> now;
    {
      const std::lock_guard<std::mutex> lock(mu);
      now.swap(parked);
    }
    for (const auto& request : now) request->Resume();
    resumed += now.size();
  }
  done.get_future().wait();
  EXPECT_EQ(CurrentRequest(), nullptr);
}

TEST(RequestThreadsTest, RequestsForAHungDiskLeaveThreadsForOthers) {
  testing::HungDisk disk;
  RequestThreads threads(1000);
  const auto ask = [&](const std::string& name, const auto& read) {
    const absl::Status status =
        threads.Run(name, 0, [&threads, name, read](WorkerScratch*) {
          const absl::Status room = threads.MaySleepIn(name);
          if (IsParked(room)) return;
          EXPECT_TRUE(room.ok()) << room;
          read();
        });
    ASSERT_TRUE(status.ok()) << status;
  };
  for (int i = 0; i < 20; ++i) ask("hung", [&disk] { disk.Read(); });
  std::atomic<int> answered{0};
  for (int i = 0; i < 20; ++i) ask("other", [&answered] { ++answered; });
  EXPECT_TRUE(testing::Soon([&] { return answered == 20; }));
  EXPECT_EQ(disk.begun(), 2);
  disk.Answer();
  EXPECT_TRUE(testing::Soon([&] { return disk.ended() == 20; }));
}

TEST(RequestThreadsTest, ThoseWhoWaitForAHungDiskLeavePlacesToOthers) {
  testing::HungDisk disk;
  RequestThreads threads(800);
  std::atomic<int> refused{0};
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(threads
                    .Run("", 30,
                         [&](WorkerScratch*) {
                           const absl::Status room = threads.MaySleepIn("hung");
                           if (room.ok()) return disk.Read();
                           if (IsParked(room)) return;
                           EXPECT_EQ(ReasonOf(room), kReasonOverloaded);
                           ++refused;
                         })
                    .ok());
  }
  // Two read and 11 wait, in half of what all may.
  EXPECT_TRUE(testing::Soon([&] { return refused == 7; })) << refused;
  EXPECT_TRUE(threads.Run("other", 300, [](WorkerScratch*) {}).ok());
  disk.Answer();
  EXPECT_TRUE(testing::Soon([&] { return disk.ended() == 13; }));
}

TEST(RequestThreadsTest, ThoseWhoWaitForSeveralHungDisksLeavePlacesToOthers) {
  testing::HungDisk disk;
  RequestThreads threads(800);
  std::atomic<int> waiting{0};
  const auto ask = [&](const std::string& name, int times) {
    for (int i = 0; i < times; ++i) {
      const absl::Status status = threads.Run(
          name, 30,
          [&, name, once = std::make_shared<std::once_flag>()](WorkerScratch*) {
            const absl::Status room = threads.MaySleepIn(name);
            if (room.ok() || IsParked(room)) {
              std::call_once(*once, [&] { ++waiting; });
            }
            if (room.ok()) disk.Read();
          });
      ASSERT_TRUE(status.ok()) << status;
    }
  };
  ask("one", 13);
  EXPECT_TRUE(testing::Soon([&] { return waiting == 13; })) << waiting;
  // Half of what those leave.
  ask("other", 6);
  EXPECT_TRUE(testing::Soon([&] { return waiting == 19; })) << waiting;
  std::promise<void> refused;
  ASSERT_TRUE(threads
                  .Run("other", 30,
                       [&](WorkerScratch*) {
                         EXPECT_EQ(ReasonOf(threads.MaySleepIn("other")),
                                   kReasonOverloaded);
                         refused.set_value();
                       })
                  .ok());
  refused.get_future().wait();
  EXPECT_TRUE(threads.Run("third", 200, [](WorkerScratch*) {}).ok());
  disk.Answer();
  EXPECT_TRUE(testing::Soon([&] { return disk.ended() == 19; }));
}

TEST(RequestThreadsTest, ThoseWhoAreParkedForAHungDiskLeavePlacesToOthers) {
  RequestThreads threads(800);
  std::vector<std::shared_ptr<ParkedRequest>> parked;
  std::atomic<int> refused{0};
  std::mutex mu;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(threads
                    .Run("", 30,
                         [&](WorkerScratch*) {
                           if (!threads.MaySleepIn("hung").ok()) {
                             ++refused;
                             return;
                           }
                           // As under a view that another request makes.
                           const std::lock_guard<std::mutex> lock(mu);
                           parked.push_back(CurrentRequest());
                         })
                    .ok());
  }
  EXPECT_TRUE(testing::Soon([&] { return refused == 7; })) << refused;
  threads.Stop();
}

TEST(RequestThreadsTest, ParkedIsToldFromErrors) {
  EXPECT_TRUE(IsParked(ParkedStatus()));
  EXPECT_FALSE(IsParked(absl::AbortedError("")));
  EXPECT_FALSE(IsParked(absl::OkStatus()));
}

}  // namespace
}  // namespace inkstream::batch

#include "server/base/ordered_workers.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace inkstream {
namespace {

OrderedStages<int, int> Counting(int tasks, std::vector<int>* taken) {
  OrderedStages<int, int> stages;
  auto next = std::make_shared<int>(0);
  stages.next = [next, tasks](int* task) -> absl::StatusOr<bool> {
    *task = (*next)++;
    return *task < tasks;
  };
  stages.new_worker = [] {
    return [](int& task) -> absl::StatusOr<int> { return task * 10; };
  };
  stages.take = [taken](int result) {
    taken->push_back(result);
    return absl::OkStatus();
  };
  return stages;
}

std::vector<int> Tens(int count) {
  std::vector<int> tens;
  for (int i = 0; i < count; ++i) tens.push_back(i * 10);
  return tens;
}

TEST(OrderedWorkersTest, ResultsComeInOrderForAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 8}) {
    std::vector<int> taken;
    OrderedStages<int, int> stages = Counting(200, &taken);
    stages.new_worker = [] {
      return [](int& task) -> absl::StatusOr<int> {
        // The first of each eight is the slowest.
        if (task % 8 == 0) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return task * 10;
      };
    };
    EXPECT_TRUE(RunInOrder(threads, std::move(stages)).ok());
    EXPECT_EQ(taken, Tens(200)) << threads;
  }
}

TEST(OrderedWorkersTest, NoTasksIsNoError) {
  std::vector<int> taken;
  EXPECT_TRUE(RunInOrder(4, Counting(0, &taken)).ok());
  EXPECT_TRUE(taken.empty());
}

TEST(OrderedWorkersTest, WhatComesBeforeAnErrorIsTaken) {
  std::vector<int> taken;
  OrderedStages<int, int> stages = Counting(100, &taken);
  const auto next = stages.next;
  stages.next = [next](int* task) -> absl::StatusOr<bool> {
    absl::StatusOr<bool> more = next(task);
    if (*task == 37) return absl::DataLossError("cut");
    return more;
  };
  EXPECT_TRUE(absl::IsDataLoss(RunInOrder(3, std::move(stages))));
  EXPECT_EQ(taken, Tens(37));
}

TEST(OrderedWorkersTest, AnErrorOfAWorkerEndsTheRun) {
  std::vector<int> taken;
  OrderedStages<int, int> stages = Counting(100000, &taken);
  stages.new_worker = [] {
    return [](int& task) -> absl::StatusOr<int> {
      if (task == 20) return absl::InternalError("broken");
      return task * 10;
    };
  };
  EXPECT_TRUE(absl::IsInternal(RunInOrder(3, std::move(stages))));
  EXPECT_EQ(taken, Tens(20));
}

TEST(OrderedWorkersTest, AnErrorOfTheTakerEndsTheRun) {
  std::vector<int> taken;
  OrderedStages<int, int> stages = Counting(100000, &taken);
  stages.take = [&](int result) -> absl::Status {
    taken.push_back(result);
    return taken.size() == 5 ? absl::ResourceExhaustedError("disk full")
                             : absl::OkStatus();
  };
  EXPECT_TRUE(absl::IsResourceExhausted(RunInOrder(3, std::move(stages))));
  EXPECT_EQ(taken.size(), 5);
}

TEST(OrderedWorkersTest, NoMoreThanTheWindowWaits) {
  constexpr int kThreads = 3;
  std::atomic<int> made{0};
  int taken = 0;
  int most = 0;
  OrderedStages<int, int> stages;
  int next = 0;
  stages.next = [&](int* task) -> absl::StatusOr<bool> {
    *task = next++;
    ++made;
    return *task < 300;
  };
  stages.new_worker = [] {
    return [](int& task) -> absl::StatusOr<int> { return task; };
  };
  stages.take = [&](int) {
    ++taken;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    most = std::max(most, made - taken);
    return absl::OkStatus();
  };
  EXPECT_TRUE(RunInOrder(kThreads, std::move(stages)).ok());
  EXPECT_LE(most, 2 * kThreads + 2);
  EXPECT_GT(most, 1);
}

}  // namespace
}  // namespace inkstream

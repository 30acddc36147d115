#include "server/batch/work/process_cpu.h"

#include <time.h>

#include <thread>

#include "gtest/gtest.h"

namespace inkstream::batch {
namespace {

TEST(ProcessCpu, WhatAThreadThatEndedComputedCounts) {
  constexpr double kWork = 0.05;
  const double before = ProcessCpuSeconds();
  std::thread([] {
    timespec used{};
    do {
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    } while (static_cast<double>(used.tv_nsec) * 1e-9 < kWork &&
             used.tv_sec == 0);
  }).join();
  // The kernel rounds user and system time on their own.
  EXPECT_GT(ProcessCpuSeconds() - before, kWork * 0.9);
}

}  // namespace
}  // namespace inkstream::batch

#include "server/base/machine_limits.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace inkstream {
namespace {

class MachineLimitsTest : public ::testing::Test {
 protected:
  MachineLimitsTest()
      : root_(::testing::TempDir() + "limits_" +
              ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(root_);
  }
  ~MachineLimitsTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  const std::string root_;
};

TEST_F(MachineLimitsTest, WithoutACgroupTheMachineIsTheLimit) {
  EXPECT_GT(UsableMemory(root_), 1U << 20U);
  EXPECT_GE(UsableCpus(root_), 1);
}

TEST_F(MachineLimitsTest, TheSmallestLimitOnTheWayUpCounts) {
  Write("/proc/self/cgroup", "0::/kubepods/pod1/main\n");
  Write("/sys/fs/cgroup/kubepods/pod1/main/memory.max", "max\n");
  Write("/sys/fs/cgroup/kubepods/pod1/memory.max", "104857600\n");
  Write("/sys/fs/cgroup/kubepods/memory.max", "9999999999999\n");
  EXPECT_EQ(UsableMemory(root_), 104'857'600U);
}

TEST_F(MachineLimitsTest, AContainersOwnRootIsLookedAt) {
  Write("/proc/self/cgroup", "4:memory:/docker/0123\n0::/\n");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "73400320\n");
  EXPECT_EQ(UsableMemory(root_), 73'400'320U);
}

TEST_F(MachineLimitsTest, AQuotaOfOneAndAHalfCpusIsAtMostTwoThreads) {
  Write("/proc/self/cgroup", "0::/\n");
  Write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(UsableCpus(root_), 1);
  Write("/sys/fs/cgroup/cpu.max", "150000 100000\n");
  EXPECT_LE(UsableCpus(root_), 2);
}

TEST_F(MachineLimitsTest, NoQuotaIsNoLimit) {
  const int all = UsableCpus(root_ + "/nowhere");
  Write("/proc/self/cgroup", "3:cpu,cpuacct:/\n0::/\n");
  Write("/sys/fs/cgroup/cpu.max", "max 100000\n");
  Write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  Write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(UsableCpus(root_), all);
}

}  // namespace
}  // namespace inkstream

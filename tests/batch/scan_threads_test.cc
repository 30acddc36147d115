#include "server/batch/view/scan_threads.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <vector>

namespace inkstream::batch {
namespace {

// How often each of 100 numbers is scanned, in four parts.
std::vector<int> Scanned() {
  std::vector<std::atomic<int>> times(100);
  ScanInParts(times.size(), 4,
              [&](uint64_t /*part*/, uint64_t begin, uint64_t end) {
                for (uint64_t i = begin; i < end; ++i) ++times[i];
              });
  return {times.begin(), times.end()};
}

TEST(ScanThreadsTest, EveryNumberIsScannedOnce) {
  EXPECT_EQ(Scanned(), std::vector<int>(100, 1));
}

TEST(ScanThreadsTest, SoItIsWhereNoThreadCanBeHad) {
  pthread_attr_t before;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  pthread_attr_t huge;
  pthread_attr_init(&huge);
  // More than there are addresses.
  ASSERT_EQ(pthread_attr_setstacksize(&huge, size_t{1} << 50U), 0);
  ASSERT_EQ(pthread_setattr_default_np(&huge), 0);
  const std::vector<int> scanned = Scanned();
  ASSERT_EQ(pthread_setattr_default_np(&before), 0);
  EXPECT_EQ(scanned, std::vector<int>(100, 1));
}

}  // namespace
}  // namespace inkstream::batch

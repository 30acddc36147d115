#include "server/base/huge_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace inkstream {
namespace {

class HugePagesTest : public ::testing::TestWithParam<size_t> {};

TEST_P(HugePagesTest, TheyAreZeroAlignedAndWritable) {
  const size_t bytes = GetParam();
  void* const map = MapHugePages(bytes);
  ASSERT_NE(map, MAP_FAILED);
  auto* const memory = static_cast<uint8_t*>(map);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) %
                (bytes < kHugePage ? 4096 : kHugePage),
            0U);
  EXPECT_EQ(std::count(memory, memory + bytes, 0), bytes);
  std::memset(memory, 9, bytes);
  EXPECT_EQ(memory[bytes - 1], 9);
  munmap(map, bytes);
}

TEST_P(HugePagesTest, OneMunmapGivesAllOfThemBack) {
  const size_t bytes = GetParam();
  auto* const map = static_cast<uint8_t*>(MapHugePages(bytes));
  ASSERT_EQ(munmap(map, bytes), 0);
  unsigned char resident = 0;
  const size_t page = 4096;
  const size_t pages = (bytes + page - 1) / page;
  EXPECT_EQ(mincore(map, page, &resident), -1);
  EXPECT_EQ(mincore(map + (pages - 1) * page, page, &resident), -1);
}

INSTANTIATE_TEST_SUITE_P(Sizes, HugePagesTest,
                         ::testing::Values(4096, kHugePage - 4096, kHugePage,
                                           kHugePage + 4096,
                                           5 * kHugePage + 12288));

}  // namespace
}  // namespace inkstream

#include "server/transport/huge_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace inkstream::transport {
namespace {

class HugePagesTest : public ::testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    descriptor_ = memfd_create("huge-pages-test", MFD_CLOEXEC);
    ASSERT_GE(descriptor_, 0);
    ASSERT_EQ(ftruncate(descriptor_, static_cast<off_t>(GetParam())), 0);
  }
  void TearDown() override { close(descriptor_); }

  uint8_t* Map(int protection) {
    void* const map = MapForHugePages(descriptor_, GetParam(), protection);
    EXPECT_NE(map, MAP_FAILED);
    return static_cast<uint8_t*>(map);
  }

  int descriptor_ = -1;
};

TEST_P(HugePagesTest, WhatIsWrittenThroughOneMapIsReadThroughAnother) {
  const size_t bytes = GetParam();
  uint8_t* const written = Map(PROT_READ | PROT_WRITE);
  const uint8_t* const read = Map(PROT_READ);
  if (bytes >= kHugePage) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(written) % kHugePage, 0U);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(read) % kHugePage, 0U);
  }
  std::memset(written, 7, bytes);
  EXPECT_EQ(std::count(read, read + bytes, 7), bytes);
  munmap(written, bytes);
  munmap(const_cast<uint8_t*>(read), bytes);
}

TEST_P(HugePagesTest, TouchingKeepsWhatIsThereAndStaysWithinTheFile) {
  const size_t bytes = GetParam();
  uint8_t* const map = Map(PROT_READ | PROT_WRITE);
  map[0] = 1;
  map[bytes - 1] = 2;
  TouchHugePages(map, bytes, 0, bytes / 2);
  TouchHugePages(map, bytes, bytes / 2, bytes);
  EXPECT_EQ(map[0], 1);
  EXPECT_EQ(map[bytes - 1], 2);
  EXPECT_EQ(std::count(map, map + bytes, 0), bytes - 2);
  munmap(map, bytes);
}

TEST_P(HugePagesTest, MunmapOfTheFileIsAllThatIsNeeded) {
  const size_t bytes = GetParam();
  uint8_t* const map = Map(PROT_READ | PROT_WRITE);
  ASSERT_EQ(munmap(map, bytes), 0);
  unsigned char resident = 0;
  const size_t page = 4096;
  const size_t pages = (bytes + page - 1) / page;
  EXPECT_EQ(mincore(map, page, &resident), -1);
  EXPECT_EQ(mincore(map + (pages - 1) * page, page, &resident), -1);
}

TEST_P(HugePagesTest, PrivateMemoryIsZeroAlignedAndWritable) {
  const size_t bytes = GetParam();
  void* const map = MapPrivateHugePages(bytes);
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

INSTANTIATE_TEST_SUITE_P(Sizes, HugePagesTest,
                         ::testing::Values(4096, kHugePage - 4096, kHugePage,
                                           kHugePage + 4096,
                                           5 * kHugePage + 12288));

}  // namespace
}  // namespace inkstream::transport

#include "server/store/store_health.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/segment/mapped_file.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class StoreHealthTest : public ::testing::Test {
 protected:
  StoreHealthTest() {
    GuardMaps();
    MustWrite(path_, SampleDrawings(20000));
    store_ = MustOpen(path_);
    reader_ = store_->NewDrawingReader();
  }

  // Changes a byte of the file as a disk does: nobody is told.
  void Flip(uint64_t offset) const {
    const int file = open(segment_.c_str(), O_RDWR);
    char byte = 0;
    ASSERT_EQ(pread(file, &byte, 1, static_cast<off_t>(offset)), 1);
    byte = static_cast<char>(byte ^ 0x10);
    ASSERT_EQ(pwrite(file, &byte, 1, static_cast<off_t>(offset)), 1);
    close(file);
  }

  // Answers the parts that are damaged.
  uint64_t ScrubAll() const {
    uint64_t damaged = 0;
    for (uint64_t part = 0; part < PartsOf(*store_); ++part) {
      damaged += !ScrubPart(*store_, part).ok();
    }
    return damaged;
  }

  const testing::ScratchDirectory scratch_;
  const std::string path_ = scratch_.File("s.ink");
  const std::string segment_ = path_ + "/segment-000000.mdb";
  std::shared_ptr<const StoreReader> store_;
  std::unique_ptr<DrawingReader> reader_;
};

TEST_F(StoreHealthTest, ASoundStoreIsIntactAndItsPartsAreItsBytes) {
  uint64_t bytes = 0;
  for (uint64_t part = 0; part < PartsOf(*store_); ++part) {
    const absl::StatusOr<uint64_t> read = ScrubPart(*store_, part);
    ASSERT_TRUE(read.ok()) << read.status();
    bytes += *read;
  }
  EXPECT_GT(bytes, fs::file_size(segment_) * 9 / 10);
  EXPECT_LT(bytes, fs::file_size(segment_));
  LookAtFiles(*store_);
  EXPECT_TRUE(CheckIntact(*store_).ok());
}

TEST_F(StoreHealthTest, WhatIsTruncatedUnderTheMapIsAnErrorThatNamesTheSizes) {
  ASSERT_TRUE(reader_->ReadStrokes(19999).ok());
  const uint64_t size = fs::file_size(segment_);
  fs::resize_file(segment_, 12288);
  const absl::Status status = reader_->ReadStrokes(19999).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(
      status.message(),
      AllOf(HasSubstr("segment-000000.mdb"), HasSubstr(std::to_string(size)),
            HasSubstr("12288"), HasSubstr("truncated")));
  EXPECT_EQ(CheckIntact(*store_), status);
  // Once lost, it stays so: zeros stand where the file was.
  fs::resize_file(segment_, size);
  EXPECT_FALSE(CheckIntact(*store_).ok());
}

TEST_F(StoreHealthTest, ColumnsOfATruncatedFileCanBeReadAndAreNotBelieved) {
  fs::resize_file(segment_, 0);
  for (uint64_t index = 0; index < store_->size(); index += 97) {
    EXPECT_GE(store_->Label(index), -1);
    EXPECT_LT(store_->Label(index),
              static_cast<int32_t>(store_->info().classes.size()));
    EXPECT_GE(store_->Countrycode(index), -1);
    store_->KeyId(index);
  }
  EXPECT_TRUE(absl::IsDataLoss(CheckIntact(*store_)));
}

TEST_F(StoreHealthTest, AnotherSizeIsSeenBeforeAnybodyReads) {
  fs::resize_file(segment_, fs::file_size(segment_) + 1);
  EXPECT_TRUE(CheckIntact(*store_).ok());
  LookAtFiles(*store_);
  EXPECT_THAT(CheckIntact(*store_).message(), HasSubstr("written to"));
}

TEST_F(StoreHealthTest,
       FilesThatAreReplacedOrRemovedAreStillTheOnesThatAreOpen) {
  const std::string copy = scratch_.File("copy");
  fs::copy_file(segment_, copy);
  fs::resize_file(copy, 100);
  fs::rename(copy, segment_);
  LookAtFiles(*store_);
  EXPECT_TRUE(CheckIntact(*store_).ok());
  fs::remove_all(path_);
  LookAtFiles(*store_);
  EXPECT_TRUE(CheckIntact(*store_).ok());
  EXPECT_TRUE(reader_->ReadStrokes(12345).ok());
}

TEST_F(StoreHealthTest, WhatFlipsBehindTheFirstReadIsFoundAndNotReadAgain) {
  for (uint64_t i = 0; i < store_->size(); ++i) {
    ASSERT_TRUE(reader_->ReadStrokes(i).ok());
  }
  // Every page of strokes and columns, in the middle.
  const uint64_t size = fs::file_size(segment_);
  for (uint64_t at = size / 2; at < size / 2 + 40960; at += 4096)
    Flip(at + 700);
  const uint64_t damaged = ScrubAll();
  EXPECT_GE(damaged, 8);
  uint64_t refused = 0;
  for (uint64_t i = 0; i < store_->size(); ++i) {
    const absl::StatusOr<StrokesView> strokes = reader_->ReadStrokes(i);
    if (!strokes.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(strokes.status()));
      ++refused;
    }
  }
  EXPECT_GT(refused, damaged);
  EXPECT_EQ(ScrubAll(), damaged);
}

TEST_F(StoreHealthTest, AColumnThatFlipsLosesTheStore) {
  uint64_t found = 0;
  // One byte in each page: some hit a run of columns.
  for (uint64_t at = 8192; at < fs::file_size(segment_); at += 4096) {
    Flip(at + 2000);
    if (at % (1U << 16U) == 0) found = ScrubAll();
    if (!CheckIntact(*store_).ok()) break;
  }
  ScrubAll();
  EXPECT_GT(found, 0);
  EXPECT_THAT(CheckIntact(*store_).message(),
              AllOf(HasSubstr("segment-000000.mdb"), HasSubstr("columns")));
}

TEST(MappedFileDeathTest, AFaultElsewhereStillEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        GuardMaps();
        raise(SIGBUS);
      },
      ::testing::KilledBySignal(SIGBUS), "no file of a store");
}

}  // namespace
}  // namespace inkstream::store

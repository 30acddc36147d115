// What is checked when a store is opened, and what when a part of it is touched
// first: without a handler of SIGBUS, as in a trainer.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/format.h"
#include "server/store/segment/checksum.h"
#include "server/store/segment/endian_io.h"
#include "server/store/store_health.h"
#include "server/store/store_reader.h"
#include "server/store/store_verifier.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr uint64_t kDrawings = 2 * kColumnRun + 100;

class FirstTouchTest : public ::testing::Test {
 protected:
  FirstTouchTest() { MustWrite(path_, SampleDrawings(kDrawings)); }

  // Where the runs of columns stand in the segment's bytes.
  static std::vector<size_t> RunsOf(const std::string& bytes) {
    std::vector<size_t> runs;
    for (size_t at = 16; at < bytes.size(); at += kPageBytes) {
      const uint32_t count = LoadLittle<uint32_t>(bytes.data() + at + 4);
      if (bytes.substr(at, 1) == "C" && bytes[at + 2] == 0 && count > 0 &&
          count <= kColumnRun &&
          LoadLittle<uint32_t>(bytes.data() + at + 8) % kColumnRun == 0) {
        runs.push_back(at);
      }
    }
    return runs;
  }

  void Flip(size_t offset) const {
    const int file = open(segment_.c_str(), O_RDWR);
    char byte = 0;
    ASSERT_EQ(pread(file, &byte, 1, static_cast<off_t>(offset)), 1);
    byte = static_cast<char>(byte ^ 0x10);
    ASSERT_EQ(pwrite(file, &byte, 1, static_cast<off_t>(offset)), 1);
    close(file);
  }

  // Whether `work` answers true in a process that SIGBUS would end.
  static void ExpectNoSignal(const std::function<bool()>& work) {
    EXPECT_EXIT(
        {
          signal(SIGBUS, SIG_DFL);
          std::exit(work() ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
  }

  bool NamesTheSizes(const absl::Status& status) const {
    const bool named = absl::IsDataLoss(status) &&
                       absl::StrContains(status.message(), segment_) &&
                       absl::StrContains(status.message(), "has 8192 now");
    if (!named) std::cerr << status << std::endl;
    return named;
  }

  const testing::ScratchDirectory scratch_;
  const std::string path_ = scratch_.File("s.ink");
  const std::string segment_ = path_ + "/segment-000000.mdb";
};

TEST_F(FirstTouchTest, StrokesThatWereCutOffAreAnErrorAndNoSignal) {
  ExpectNoSignal([&] {
    const auto store = MustOpen(path_);
    const auto reader = store->NewDrawingReader();
    fs::resize_file(segment_, 8192);
    const std::vector<int64_t> coming = {kDrawings - 1, 5, 70};
    reader->Find(coming);
    store->WillNeed(std::vector<uint64_t>{kDrawings - 1, 5, 70});
    return NamesTheSizes(reader->ReadStrokes(kDrawings - 1).status()) &&
           NamesTheSizes(reader->ReadStrokes(5).status());
  });
}

TEST_F(FirstTouchTest, ColumnsThatWereCutOffAreAnErrorAndNoSignal) {
  ExpectNoSignal([&] {
    const auto store = MustOpen(path_);
    fs::resize_file(segment_, 8192);
    std::vector<int64_t> hashes(store->size());
    store->ReadColumn(StoreColumn::kSplitHash, 0, absl::MakeSpan(hashes));
    return store->Label(7) == -1 && store->KeyId(kDrawings - 1) == -1 &&
           NamesTheSizes(CheckIntact(*store)) &&
           NamesTheSizes(store->FindKey(12345).status());
  });
}

TEST_F(FirstTouchTest, WhatIsCutOffBehindItsFirstTouchIsSeenByALook) {
  ExpectNoSignal([&] {
    const auto store = MustOpen(path_);
    if (!store->NewDrawingReader()->ReadStrokes(kDrawings - 1).ok()) {
      return false;
    }
    fs::resize_file(segment_, 8192);
    if (!CheckIntact(*store).ok()) return false;
    LookAtFiles(*store);
    return NamesTheSizes(CheckIntact(*store));
  });
}

TEST_F(FirstTouchTest, ADamagedRunIsFoundWhenItIsTouchedAndIsLost) {
  const std::string bytes = testing::ReadWholeFile(segment_);
  const std::vector<size_t> runs = RunsOf(bytes);
  ASSERT_GE(runs.size(), 2);
  Flip(runs[1] + 600);
  const auto store = StoreReader::Open(path_);
  ASSERT_TRUE(store.ok()) << store.status();
  const auto reader = (*store)->NewDrawingReader();
  EXPECT_GE((*store)->Label(kColumnRun - 1), 0);
  EXPECT_TRUE(reader->ReadStrokes(kColumnRun).ok());
  EXPECT_TRUE(CheckIntact(**store).ok());
  EXPECT_EQ((*store)->Label(kColumnRun), -1);
  const absl::Status lost = CheckIntact(**store);
  EXPECT_TRUE(absl::IsDataLoss(lost)) << lost;
  EXPECT_THAT(lost.message(),
              AllOf(HasSubstr(segment_),
                    HasSubstr(absl::StrCat("columns at ", kColumnRun)),
                    HasSubstr("checksum")));
  // Whoever reads more of it hears the same, and so does who asks at once.
  Drawing drawing;
  EXPECT_EQ(reader->ReadDrawing(3, &drawing), lost);
  EXPECT_EQ((*store)->FindKey(-5).status(), lost);
  EXPECT_EQ(StoreReader::Open(path_, {.check_columns = true}).status(), lost);
  EXPECT_EQ(VerifyStore(path_).status(), lost);
}

// A column that is sound by its checksum and leads out of its table.
TEST_F(FirstTouchTest, ANumberThatIsInNoTableIsFoundWhenItIsTouched) {
  std::string bytes = testing::ReadWholeFile(segment_);
  const size_t run = RunsOf(bytes).at(0);
  size_t length = kChecksumBytes;
  while (!ChecksumHolds(absl::string_view(bytes).substr(run, length))) ++length;
  // The descriptor of the first column, words, has its base at 16.
  ASSERT_EQ(bytes[run + 16], 0);
  bytes[run + 16 + 16] = 100;
  std::string value = bytes.substr(run, length - kChecksumBytes);
  AppendChecksum(&value);
  const int file = open(segment_.c_str(), O_RDWR);
  ASSERT_EQ(pwrite(file, value.data(), value.size(), static_cast<off_t>(run)),
            static_cast<ssize_t>(value.size()));
  close(file);
  const auto opened = MustOpen(path_);
  EXPECT_EQ(opened->Label(0), -1);
  EXPECT_THAT(CheckIntact(*opened).message(),
              AllOf(HasSubstr(segment_), HasSubstr("columns at 0: word 1")));
}

TEST_F(FirstTouchTest, ManyThreadsMayTouchARunFirst) {
  std::vector<int32_t> expected;
  const auto checked = *StoreReader::Open(path_, {.check_columns = true});
  for (uint64_t i = 0; i < kDrawings; ++i) {
    expected.push_back(checked->Label(i));
  }
  for (int round = 0; round < 20; ++round) {
    const auto store = MustOpen(path_);
    std::vector<std::thread> threads;
    for (uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (uint64_t i = t; i < kDrawings; i += 997) {
          ASSERT_EQ(store->Label(i), expected[i]);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace inkstream::store

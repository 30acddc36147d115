// Appending, resuming, merging and repeated keys, against one run of the whole.

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/store_merger.h"
#include "server/store/store_verifier.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ScratchDirectory;
namespace fs = std::filesystem;

constexpr uint64_t kDrawings = 30000;
constexpr uint64_t kSegment = 7000;

std::vector<Drawing> Part(const std::vector<Drawing>& all, size_t begin,
                          size_t end) {
  return {all.begin() + static_cast<ptrdiff_t>(begin),
          all.begin() + static_cast<ptrdiff_t>(end)};
}

void ExpectHolds(const std::string& path, const std::vector<Drawing>& drawings,
                 uint64_t generation = 0) {
  OpenOptions options;
  options.generation = generation;
  const auto store = StoreReader::Open(path, options);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_EQ((*store)->size(), drawings.size());
  const auto reader = (*store)->NewDrawingReader();
  Drawing found;
  for (size_t i = 0; i < drawings.size(); ++i) {
    ASSERT_TRUE(reader->ReadDrawing(i, &found).ok()) << i;
    ASSERT_EQ(found, drawings[i]) << i << ": " << Describe(found);
  }
  if (generation != 0) return;
  const auto report = VerifyStore(path);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->problems, IsEmpty());
}

class Generations : public ::testing::Test {
 protected:
  Generations() : all_(SampleDrawings(kDrawings)) {
    options_.segment_drawings = kSegment;
    options_.threads = 2;
  }

  const ScratchDirectory scratch_;
  const std::vector<Drawing> all_;
  WriterOptions options_;
};

TEST_F(Generations, AppendedPartsAreTheWholeAndTheOldGenerationStays) {
  const std::string whole = MustWrite(scratch_.File("w"), all_, options_);
  const std::string path = scratch_.File("a");
  const std::string first = MustWrite(path, Part(all_, 0, 11000), options_);
  options_.append = true;
  EXPECT_EQ(MustWrite(path, Part(all_, 11000, kDrawings), options_), whole);
  ExpectHolds(path, all_);
  ExpectHolds(path, Part(all_, 0, 11000), 1);
  EXPECT_NE(first, whole);
}

TEST_F(Generations, AFingerprintIsFoundAmongTheOlderOnes) {
  const std::string path = scratch_.File("a");
  std::vector<std::string> prints = {
      MustWrite(path, Part(all_, 0, 8000), options_)};
  options_.append = true;
  prints.push_back(MustWrite(path, Part(all_, 8000, 16000), options_));
  prints.push_back(MustWrite(path, Part(all_, 16000, 20000), options_));
  for (size_t g = 0; g < prints.size(); ++g) {
    const auto store = StoreReader::Open(path, {.fingerprint = prints[g]});
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->info().generation, g + 1);
    EXPECT_EQ((*store)->info().fingerprint, prints[g]);
  }
  const auto none = StoreReader::Open(path, {.fingerprint = "00ff"}).status();
  EXPECT_TRUE(absl::IsNotFound(none)) << none;
  EXPECT_THAT(none.message(), ::testing::AllOf(HasSubstr("fingerprint 00ff"),
                                               HasSubstr("generation 3"),
                                               HasSubstr(prints[2])));
  // Both must hold.
  const auto other =
      StoreReader::Open(path, {.generation = 1, .fingerprint = prints[1]});
  EXPECT_TRUE(absl::IsNotFound(other.status())) << other.status();
  // What an operator has removed is not there; what is damaged may be it.
  fs::remove(path + "/MANIFEST.000001");
  EXPECT_TRUE(absl::IsNotFound(
      StoreReader::Open(path, {.fingerprint = prints[0]}).status()));
  EXPECT_TRUE(StoreReader::Open(path, {.fingerprint = prints[1]}).ok());
  fs::resize_file(path + "/MANIFEST.000002", 100);
  const auto damaged =
      StoreReader::Open(path, {.fingerprint = prints[1]}).status();
  EXPECT_TRUE(absl::IsDataLoss(damaged)) << damaged;
  EXPECT_THAT(damaged.message(), HasSubstr("MANIFEST.000002"));
  EXPECT_TRUE(StoreReader::Open(path, {.fingerprint = prints[2]}).ok());
}

TEST_F(Generations, AResumedWriterGoesOnBehindFinishedSegments) {
  const std::string whole = MustWrite(scratch_.File("w"), all_, options_);
  options_.job = "job";
  const std::string path = scratch_.File("a");
  {
    auto writer = StoreWriter::Create(path, options_);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->Append(Part(all_, 0, 20000)).ok());
    // As after a kill: nothing is finished. Two segments must be durable.
    while ((*writer)->durable() < kSegment) std::this_thread::yield();
  }
  options_.resume = true;
  auto writer = StoreWriter::Create(path, options_);
  ASSERT_TRUE(writer.ok()) << writer.status();
  const uint64_t taken = (*writer)->taken_over();
  EXPECT_GE(taken, kSegment);
  EXPECT_EQ(taken % kSegment, 0);
  ASSERT_TRUE((*writer)->Append(Part(all_, taken, kDrawings)).ok());
  const auto fingerprint = (*writer)->Finish();
  ASSERT_TRUE(fingerprint.ok()) << fingerprint.status();
  EXPECT_EQ(*fingerprint, whole);
  ExpectHolds(path, all_);
  EXPECT_TRUE(*StoreWriter::IsComplete(path, "job"));
  EXPECT_FALSE(*StoreWriter::IsComplete(path, "another"));
}

TEST_F(Generations, WhatAnotherJobLeftIsNotGoneOnWith) {
  options_.job = "job";
  const std::string path = scratch_.File("a");
  {
    auto writer = StoreWriter::Create(path, options_);
    ASSERT_TRUE((*writer)->Append(Part(all_, 0, 100)).ok());
  }
  options_.resume = true;
  options_.job = "another";
  EXPECT_TRUE(
      absl::IsFailedPrecondition(StoreWriter::Create(path, options_).status()));
}

TEST_F(Generations, MergedPartsAreTheWhole) {
  const std::string whole = MustWrite(scratch_.File("w"), all_, options_);
  std::vector<std::string> parts;
  for (const size_t begin : {0, 9999, 20001}) {
    const size_t end = begin == 20001 ? kDrawings : begin == 0 ? 9999 : 20001;
    parts.push_back(scratch_.File(absl::StrCat("part", begin)));
    MustWrite(parts.back(), Part(all_, begin, end), options_);
  }
  const auto merged = MergeStores(scratch_.File("m"), parts, {});
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(*merged, whole);
  ExpectHolds(scratch_.File("m"), all_);
}

// Every fourth drawing repeats the key of the one a hundred places before.
class RepeatedKeys : public Generations {
 protected:
  RepeatedKeys() {
    for (size_t i = 0; i < kDrawings; ++i) {
      drawings_.push_back(all_[i]);
      drawings_.back().key_id = static_cast<int64_t>(i + 1);
      if (i % 4 == 3 && i > 100) {
        drawings_.back().key_id = static_cast<int64_t>(i + 1 - 101);
        ++repeated_;
      } else {
        kept_.push_back(drawings_.back());
      }
    }
  }

  std::vector<Drawing> drawings_;
  std::vector<Drawing> kept_;  // without those that repeat
  uint64_t repeated_ = 0;
};

TEST_F(RepeatedKeys, AreKeptAndCounted) {
  MustWrite(scratch_.File("a"), drawings_, options_);
  EXPECT_EQ(MustOpen(scratch_.File("a"))->info().duplicates, repeated_);
  ExpectHolds(scratch_.File("a"), drawings_);
}

TEST_F(RepeatedKeys, TheFirstOfEachIsThatOfAStoreOfTheRest) {
  const std::string rest = MustWrite(scratch_.File("w"), kept_, options_);
  options_.duplicates = Duplicates::kFirst;
  // Little memory: the keys are sorted in parts, several at once.
  options_.memory_bytes = 1;
  EXPECT_EQ(MustWrite(scratch_.File("a"), drawings_, options_), rest);
  const auto store = MustOpen(scratch_.File("a"));
  EXPECT_EQ(store->info().dropped, repeated_);
  EXPECT_EQ(store->info().duplicates, 0);
  ExpectHolds(scratch_.File("a"), kept_);
}

TEST_F(RepeatedKeys, AreRefusedAndTheEarliestIsNamedWhateverTheThreads) {
  options_.duplicates = Duplicates::kError;
  for (const int threads : {1, 2, 5}) {
    options_.threads = threads;
    auto writer = StoreWriter::Create(scratch_.File("a"), options_);
    ASSERT_TRUE((*writer)->Append(drawings_).ok());
    const absl::Status status = (*writer)->Finish().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("such as 3 of drawing 2 in drawing 103"));
    EXPECT_TRUE((*writer)->Discard().ok());
  }
}

TEST_F(RepeatedKeys, AMergeDropsThoseOfOtherParts) {
  const std::string rest = MustWrite(scratch_.File("w"), kept_, options_);
  MustWrite(scratch_.File("1"), Part(drawings_, 0, 15050), options_);
  MustWrite(scratch_.File("2"), Part(drawings_, 15050, kDrawings), options_);
  MergeOptions options;
  options.duplicates = Duplicates::kFirst;
  const auto merged = MergeStores(
      scratch_.File("m"), {scratch_.File("1"), scratch_.File("2")}, options);
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(*merged, rest);
  ExpectHolds(scratch_.File("m"), kept_);
}

}  // namespace
}  // namespace inkstream::store

// Damaged and foreign stores: an error or correct drawings, never anything
// else.

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/format.h"
#include "server/store/segment/checksum.h"
#include "server/store/segment/endian_io.h"
#include "server/store/store_reader.h"
#include "server/store/store_verifier.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ReadWholeFile;
using testing::ScratchDirectory;

constexpr char kSegment[] = "segment-000000.mdb";

void Overwrite(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class DamagedStore : public ::testing::Test {
 protected:
  DamagedStore() : drawings_(SampleDrawings(600)) {
    drawings_.push_back(OddDrawings()[4]);
    MustWrite(store_, drawings_);
    good_ = ReadWholeFile(segment_);
  }

  absl::Status Open() {
    return StoreReader::Open(store_, {.check_columns = true}).status();
  }

  // Opens and reads everything. True if anything was reported; drawings that
  // are read must be right.
  bool DamageIsReported() {
    const auto store = StoreReader::Open(store_);
    if (!store.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(store.status()) ||
                  absl::IsFailedPrecondition(store.status()))
          << store.status();
      EXPECT_THAT(store.status().message(), HasSubstr(store_));
      return true;
    }
    bool reported = false;
    const auto reader = (*store)->NewDrawingReader();
    Drawing found;
    for (uint64_t i = 0; i < (*store)->size(); ++i) {
      const absl::Status status = reader->ReadDrawing(i, &found);
      if (status.ok()) {
        EXPECT_TRUE(found == drawings_[i]) << "wrong drawing " << i;
      } else {
        EXPECT_TRUE(absl::IsDataLoss(status)) << status;
        // Damaged columns are of all drawings.
        EXPECT_THAT(status.message(),
                    AllOf(AnyOf(HasSubstr(absl::StrCat("drawing ", i, " of ")),
                                HasSubstr("columns at ")),
                          HasSubstr(store_)));
        reported = true;
      }
    }
    return reported;
  }

  // Replaces a part of the MANIFEST and puts its checksum right.
  void RewriteManifest(const std::string& from, const std::string& to) {
    std::string text = ReadWholeFile(manifest_);
    text = text.substr(0, text.find(",\n  \"checksum\""));
    ASSERT_THAT(text, HasSubstr(from));
    text = absl::StrReplaceAll(text, {{from, to}});
    Overwrite(
        manifest_,
        absl::StrCat(text, ",\n  \"checksum\": \"",
                     absl::Hex(Checksum(text), absl::kZeroPad16), "\"\n}\n"));
  }

  ScratchDirectory scratch_;
  const std::string store_ = scratch_.File("a.ink");
  const std::string segment_ = store_ + "/" + kSegment;
  const std::string manifest_ = store_ + "/MANIFEST";
  std::vector<Drawing> drawings_;
  std::string good_;
};

TEST_F(DamagedStore, TruncatedAnywhereFailsToOpen) {
  for (size_t size = 0; size < good_.size(); size += 1 + size / 7) {
    Overwrite(segment_, good_.substr(0, size));
    const absl::Status status = Open();
    EXPECT_TRUE(absl::IsDataLoss(status)) << size << ": " << status;
    EXPECT_THAT(status.message(),
                AllOf(HasSubstr(segment_), HasSubstr(absl::StrCat(size)),
                      HasSubstr(absl::StrCat(good_.size()))));
  }
}

TEST_F(DamagedStore, FlippedBytesGiveAnErrorOrTheRightDrawings) {
  int reported = 0;
  int flips = 0;
  for (size_t at = 0; at < good_.size(); at += 61, ++flips) {
    std::string bad = good_;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    Overwrite(segment_, bad);
    reported += DamageIsReported();
  }
  // What LMDB leaves unused can change without harm; most bytes cannot.
  EXPECT_GT(reported, flips / 2);
}

TEST_F(DamagedStore, ScribbledPagesGiveAnErrorOrTheRightDrawings) {
  for (const char fill : {'\x00', '\xFF', '\x7B'}) {
    for (size_t page = 0; page * 4096 < good_.size(); ++page) {
      std::string bad = good_;
      bad.replace(page * 4096, 4096, 4096, fill);
      Overwrite(segment_, bad);
      DamageIsReported();
    }
  }
}

TEST_F(DamagedStore, SwappedPagesGiveAnErrorOrTheRightDrawings) {
  const size_t pages = good_.size() / 4096;
  for (size_t page = 0; page + 1 < pages; ++page) {
    std::string bad = good_;
    for (size_t i = 0; i < 4096; ++i) {
      std::swap(bad[page * 4096 + i], bad[(page + 1) * 4096 + i]);
    }
    Overwrite(segment_, bad);
    DamageIsReported();
  }
}

TEST_F(DamagedStore, AFlippedBlockNamesIndexAndStore) {
  // Any block of strokes: a page that begins with its kind and a zero.
  size_t record = 16;
  while (good_.substr(record, 2) != std::string("S\0", 2)) record += 4096;
  std::string bad = good_;
  bad[record + 400] = static_cast<char>(bad[record + 400] ^ 1);
  Overwrite(segment_, bad);
  EXPECT_TRUE(DamageIsReported());
  const auto report = VerifyStore(store_);
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_GT(report->damaged, 0);
  EXPECT_LT(report->damaged, drawings_.size());
  EXPECT_EQ(report->damaged + report->drawings, drawings_.size());
  EXPECT_THAT(report->problems.back(), HasSubstr("are damaged"));
}

TEST_F(DamagedStore, FlippedManifestFailsToOpen) {
  const std::string text = ReadWholeFile(manifest_);
  for (size_t at = 0; at < text.size(); at += 3) {
    std::string bad = text;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    Overwrite(manifest_, bad);
    const absl::Status status = Open();
    EXPECT_FALSE(status.ok()) << "byte " << at;
    EXPECT_THAT(status.message(), HasSubstr("MANIFEST"));
  }
}

TEST_F(DamagedStore, AnotherVersionIsAPrecondition) {
  const std::string text = ReadWholeFile(manifest_);
  Overwrite(manifest_,
            absl::StrReplaceAll(text, {{"\"version\": 1", "\"version\": 2"}}));
  const absl::Status status = Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("version 2"), HasSubstr("version 1")));
}

TEST_F(DamagedStore, ManifestThatLeadsOutOfTheStoreIsRefused) {
  RewriteManifest(kSegment, "../segment.mdb");
  const absl::Status status = Open();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("../segment.mdb"));
}

TEST_F(DamagedStore, AFeatureOfALaterReleaseIsAPrecondition) {
  RewriteManifest("\"requires\": []", "\"requires\": [\"times\"]");
  const absl::Status status = Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("'times'"));
}

TEST_F(DamagedStore, MembersOfALaterReleaseArePassedOver) {
  RewriteManifest("\"generation\"", "\"later\": {\"a\": 1},\n  \"generation\"");
  EXPECT_TRUE(Open().ok()) << Open();
}

TEST_F(DamagedStore, ASegmentOfAnotherStoreIsNoticed) {
  std::vector<Drawing> others = drawings_;
  std::swap(others[0], others[1]);
  const std::string other = scratch_.File("b.ink");
  MustWrite(other, others);
  Overwrite(segment_, ReadWholeFile(other + "/" + kSegment));
  EXPECT_TRUE(DamageIsReported());
  EXPECT_TRUE(absl::IsDataLoss(Open()));
}

TEST_F(DamagedStore, AMissingSegmentIsNamed) {
  std::filesystem::remove(segment_);
  const absl::Status status = Open();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(segment_));
}

TEST(DamagedColumns, RunsInEachOthersPlaceAreNoticed) {
  const ScratchDirectory scratch;
  // The second run differs from the first by its keys' base alone.
  std::vector<Drawing> drawings = SampleDrawings(kColumnRun);
  for (uint32_t i = 0; i < kColumnRun; ++i) {
    drawings.push_back(drawings[i]);
    *drawings.back().key_id += int64_t{1} << 60;
  }
  MustWrite(scratch.File("a"), drawings);
  const std::string path = scratch.File("a/segment-000000.mdb");
  std::string bytes = ReadWholeFile(path);
  std::vector<size_t> runs;
  for (size_t at = 16; at < bytes.size(); at += 4096) {
    if (LoadLittle<uint16_t>(bytes.data() + at - 6) == 4 && bytes[at] == 'C' &&
        LoadLittle<uint32_t>(bytes.data() + at + 4) == kColumnRun) {
      runs.push_back(at);
    }
  }
  ASSERT_EQ(runs.size(), 2);
  const size_t pages = LoadLittle<uint32_t>(bytes.data() + runs[0] - 4);
  ASSERT_EQ(pages, LoadLittle<uint32_t>(bytes.data() + runs[1] - 4));
  std::swap_ranges(
      bytes.begin() + static_cast<ptrdiff_t>(runs[0]),
      bytes.begin() + static_cast<ptrdiff_t>(runs[0] + pages * 4096 - 16),
      bytes.begin() + static_cast<ptrdiff_t>(runs[1]));
  Overwrite(path, bytes);
  const absl::Status status =
      StoreReader::Open(scratch.File("a"), {.check_columns = true}).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("columns at 0"));
  EXPECT_THAT(status.message(), Not(HasSubstr("checksum")));
}

TEST_F(DamagedStore, WhatIsNoStoreIsNotFound) {
  EXPECT_TRUE(
      absl::IsNotFound(StoreReader::Open(scratch_.File("none")).status()));
  std::filesystem::create_directory(scratch_.File("empty"));
  const absl::Status empty = StoreReader::Open(scratch_.File("empty")).status();
  EXPECT_TRUE(absl::IsNotFound(empty)) << empty;
  EXPECT_THAT(empty.message(), HasSubstr("MANIFEST"));
  const absl::Status file =
      StoreReader::Open(scratch_.Write("file", "x")).status();
  EXPECT_TRUE(absl::IsNotFound(file)) << file;
  Overwrite(manifest_, "");
  EXPECT_TRUE(absl::IsDataLoss(Open())) << Open();
  Overwrite(manifest_, "{\"format\": \"something else\"}");
  EXPECT_TRUE(absl::IsDataLoss(Open())) << Open();
}

}  // namespace
}  // namespace inkstream::store

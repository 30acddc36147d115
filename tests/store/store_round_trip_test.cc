// What is written comes back, whatever it is and however it was written.

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/format.h"
#include "server/store/generation/manifest.h"
#include "server/store/segment/segment_reader.h"
#include "server/store/store_reader.h"
#include "server/store/store_verifier.h"
#include "server/store/store_writer.h"
#include "server/store/writing/split_hash.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/quick_draw_files.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ReadWholeFile;
using testing::ScratchDirectory;

// Whole columns, read in chunks that cross runs and segments.
void ExpectColumnsAreTheAccessors(const StoreReader& store) {
  const std::vector<
      std::pair<StoreColumn, std::function<int64_t(uint64_t index)>>>
      columns = {
          {StoreColumn::kLabel, [&](uint64_t i) { return store.Label(i); }},
          {StoreColumn::kKeyId, [&](uint64_t i) { return store.KeyId(i); }},
          {StoreColumn::kTimestamp,
           [&](uint64_t i) { return store.TimestampMicros(i); }},
          {StoreColumn::kRecognized,
           [&](uint64_t i) { return store.Recognized(i); }},
          {StoreColumn::kCountrycode,
           [&](uint64_t i) { return store.Countrycode(i); }},
          {StoreColumn::kSplitHash, [&](uint64_t i) {
             return static_cast<int64_t>(store.SplitHash(i));
           }}};
  for (const auto& [column, value] : columns) {
    std::vector<int64_t> values(5000);
    for (uint64_t first = 0; first < store.size(); first += values.size()) {
      values.resize(std::min<uint64_t>(5000, store.size() - first));
      store.ReadColumn(column, first, absl::MakeSpan(values));
      for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(values[i], value(first + i))
            << "column " << static_cast<int>(column) << ", drawing "
            << first + i;
      }
    }
  }
}

void ExpectHolds(const StoreReader& store,
                 const std::vector<Drawing>& drawings) {
  ASSERT_EQ(store.size(), drawings.size());
  ExpectColumnsAreTheAccessors(store);
  const std::unique_ptr<DrawingReader> reader = store.NewDrawingReader();
  Drawing found;
  for (uint64_t i = 0; i < drawings.size(); ++i) {
    const absl::Status status = reader->ReadDrawing(i, &found);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(found == drawings[i])
        << "drawing " << i << ": expected " << Describe(drawings[i])
        << ", found " << Describe(found);
    const auto strokes = reader->ReadStrokes(i);
    ASSERT_TRUE(strokes.ok());
    ASSERT_EQ(strokes->points(), drawings[i].x.size());
    const auto name = [&](int32_t label) {
      std::string word = label < 0 ? "" : store.info().classes[label];
      return word;
    };
    std::string expected = drawings[i].word.value_or("");
    for (char& c : expected) c = c == '_' ? ' ' : c;
    ASSERT_EQ(name(store.Label(i)), expected);
    ASSERT_EQ(store.KeyId(i), drawings[i].key_id.value_or(-1));
    ASSERT_EQ(store.TimestampMicros(i), drawings[i].timestamp
                                            ? drawings[i].timestamp->micros
                                            : INT64_MIN);
    ASSERT_EQ(store.Recognized(i),
              drawings[i].recognized ? static_cast<int>(*drawings[i].recognized)
                                     : -1);
    const int32_t country = store.Countrycode(i);
    ASSERT_EQ(country < 0 ? "" : store.countrycodes()[country],
              drawings[i].countrycode.value_or(""));
    ASSERT_EQ(store.SplitHash(i),
              drawings[i].key_id
                  ? SplitHashOfKey(*drawings[i].key_id)
                  : SplitHashOfStrokes(ByteCopy(drawings[i]).strokes));
  }
}

TEST(StoreRoundTrip, GivesBackEveryDrawing) {
  const ScratchDirectory scratch;
  const std::vector<Drawing> drawings = SampleDrawings(40000);
  MustWrite(scratch.File("a.ink"), drawings);
  ExpectHolds(*MustOpen(scratch.File("a.ink")), drawings);
}

TEST(StoreRoundTrip, GivesBackOddDrawings) {
  const ScratchDirectory scratch;
  std::vector<Drawing> drawings = SampleDrawings(100);
  for (const Drawing& odd : OddDrawings()) drawings.push_back(odd);
  for (const Drawing& more : SampleDrawings(100)) drawings.push_back(more);
  MustWrite(scratch.File("a.ink"), drawings);
  ExpectHolds(*MustOpen(scratch.File("a.ink")), drawings);
  const auto report = VerifyStore(scratch.File("a.ink"));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->problems, ElementsAre());
}

TEST(StoreRoundTrip, GivesBackDrawingsAcrossSegments) {
  const ScratchDirectory scratch;
  const std::vector<Drawing> drawings = SampleDrawings(10000);
  WriterOptions options;
  options.segment_drawings = 3000;
  MustWrite(scratch.File("a.ink"), drawings, options);
  ExpectHolds(*MustOpen(scratch.File("a.ink")), drawings);
  EXPECT_TRUE(
      std::filesystem::exists(scratch.File("a.ink/segment-000003.mdb")));
}

TEST(StoreRoundTrip, AnEmptyStoreOpens) {
  const ScratchDirectory scratch;
  MustWrite(scratch.File("a.ink"), {});
  const auto store = MustOpen(scratch.File("a.ink"));
  EXPECT_EQ(store->size(), 0);
  EXPECT_FALSE(store->NewDrawingReader()->ReadStrokes(0).ok());
  EXPECT_TRUE(VerifyStore(scratch.File("a.ink"))->problems.empty());
}

TEST(StoreRoundTrip, BytesDoNotDependOnThreadsOrAppends) {
  const ScratchDirectory scratch;
  const std::vector<Drawing> drawings = SampleDrawings(30000);
  WriterOptions one;
  one.threads = 1;
  one.segment_drawings = 20000;
  WriterOptions five = one;
  five.threads = 5;
  const std::string a = MustWrite(scratch.File("a"), drawings, one, 30000);
  const std::string b = MustWrite(scratch.File("b"), drawings, five, 13);
  EXPECT_EQ(a, b);
  for (const char* file :
       {"/MANIFEST", "/segment-000000.mdb", "/segment-000001.mdb"}) {
    EXPECT_TRUE(ReadWholeFile(scratch.File("a") + file) ==
                ReadWholeFile(scratch.File("b") + file))
        << file;
  }
}

TEST(StoreRoundTrip, FingerprintDoesNotDependOnSegments) {
  const ScratchDirectory scratch;
  const std::vector<Drawing> drawings = SampleDrawings(70000);
  WriterOptions small;
  small.segment_drawings = 12345;
  EXPECT_EQ(MustWrite(scratch.File("a"), drawings),
            MustWrite(scratch.File("b"), drawings, small));
}

TEST(StoreRoundTrip, SegmentsKeepTheFoldsOfTheirDrawings) {
  const ScratchDirectory scratch;
  WriterOptions options;
  options.segment_drawings = 100000;
  MustWrite(scratch.File("a"), SampleDrawings(210000), options);
  const auto manifest = ReadManifest(scratch.File("a"), nullptr);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  ModelCache models;
  std::vector<size_t> folds;
  for (const SegmentEntry& entry : manifest->segments) {
    const auto segment = SegmentReader::Open(scratch.File("a"), entry, &models);
    ASSERT_TRUE(segment.ok()) << segment.status();
    folds.push_back((*segment)->folds().size());
  }
  // Runs end at 65,536, 131,072 and 196,608; the middle one of them begins in
  // one segment and ends in the next.
  EXPECT_THAT(folds, ElementsAre(1, 1, 0));
  const auto report = VerifyStore(scratch.File("a"));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->problems, ElementsAre());
}

TEST(StoreRoundTrip, FingerprintDependsOnEveryField) {
  const ScratchDirectory scratch;
  std::set<std::string> seen;
  int stores = 0;
  const auto add = [&](auto change) {
    std::vector<Drawing> drawings = SampleDrawings(3);
    change(&drawings);
    seen.insert(MustWrite(scratch.File(std::to_string(++stores)), drawings));
  };
  add([](auto*) {});
  add([](auto* d) { std::swap((*d)[0], (*d)[1]); });
  add([](auto* d) { d->pop_back(); });
  add([](auto* d) { (*d)[1].x[0] = (*d)[1].x[0] == 9 ? 8 : 9; });
  add([](auto* d) { (*d)[1].y[0] = (*d)[1].y[0] == 9 ? 8 : 9; });
  add([](auto* d) {
    (*d)[1].stroke_ends = {static_cast<uint32_t>((*d)[1].x.size())};
  });
  add([](auto* d) { (*d)[1].word = "other"; });
  add([](auto* d) { (*d)[1].word.reset(); });
  add([](auto* d) { (*d)[1].countrycode = "XX"; });
  add([](auto* d) { (*d)[1].timestamp->micros += 1; });
  add([](auto* d) { (*d)[1].timestamp->trailing_zeros = 2; });
  add([](auto* d) { (*d)[1].recognized = !*(*d)[1].recognized; });
  add([](auto* d) { (*d)[1].key_id = 5; });
  EXPECT_EQ(seen.size(), stores);
}

TEST(StoreRoundTrip, ManifestCountsClassesAndSplits) {
  const ScratchDirectory scratch;
  std::vector<Drawing> drawings = SampleDrawings(5000);
  drawings[3].word.reset();
  drawings[4].word = "hot_dog";
  drawings[5].word = "hot dog";
  drawings[6].countrycode.reset();
  WriterOptions options;
  options.splits = {{"train", 0.8}, {"valid", 0.1}, {"test", 0.1}};
  options.name = "sample";
  MustWrite(scratch.File("a"), drawings, options);
  const auto store = MustOpen(scratch.File("a"));
  const StoreInfo& info = store->info();
  EXPECT_EQ(info.name, "sample");
  EXPECT_EQ(info.generation, 1);
  EXPECT_EQ(info.unlabelled, 1);
  EXPECT_EQ(info.with_countrycode, 4999);
  EXPECT_THAT(info.classes,
              ElementsAre("hot dog", "word 0", "word 1", "word 2", "word 3",
                          "word 4", "word 5", "word 6"));
  EXPECT_EQ(info.class_counts[0], 2);
  std::vector<uint64_t> counts(3);
  for (uint64_t i = 0; i < store->size(); ++i) {
    for (size_t s = 0; s < 3; ++s) {
      counts[s] += InSplit(info.splits[s], store->SplitHash(i));
    }
  }
  for (size_t s = 0; s < 3; ++s) EXPECT_EQ(counts[s], info.splits[s].drawings);
  EXPECT_EQ(counts[0] + counts[1] + counts[2], 5000);
  EXPECT_NEAR(static_cast<double>(counts[0]), 4000, 150);
  uint64_t bytes = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(scratch.File("a"))) {
    bytes += file.file_size();
  }
  EXPECT_EQ(info.bytes_on_disk, bytes);
}

TEST(StoreRoundTrip, FindsKeysAcrossSegments) {
  const ScratchDirectory scratch;
  std::vector<Drawing> drawings = SampleDrawings(9000);
  drawings[100].key_id.reset();
  drawings[8000].key_id = drawings[50].key_id;
  WriterOptions options;
  options.segment_drawings = 4000;
  MustWrite(scratch.File("a"), drawings, options);
  const auto store = MustOpen(scratch.File("a"));
  for (const uint64_t i : {0, 50, 99, 3999, 4000, 8999}) {
    const auto found = store->FindKey(*drawings[i].key_id);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(*found, i);
  }
  EXPECT_TRUE(absl::IsNotFound(store->FindKey(4503599627370497).status()));
  EXPECT_TRUE(absl::IsNotFound(store->FindKey(1).status()));
  EXPECT_THAT(store->FindKey(17).status().message(), HasSubstr("17"));
}

TEST(StoreRoundTrip, HintsChangeNothing) {
  const ScratchDirectory scratch;
  const std::vector<Drawing> drawings = SampleDrawings(1000);
  MustWrite(scratch.File("a"), drawings);
  OpenOptions options;
  options.preload = true;
  const auto store = StoreReader::Open(scratch.File("a"), options);
  ASSERT_TRUE(store.ok()) << store.status();
  (*store)->WillNeed({0, 999, 500});
  ExpectHolds(**store, drawings);
}

TEST(StoreRoundTrip, AnIndexBeyondTheEndIsAnError) {
  const ScratchDirectory scratch;
  MustWrite(scratch.File("a"), SampleDrawings(10));
  const auto store = MustOpen(scratch.File("a"));
  const auto strokes = store->NewDrawingReader()->ReadStrokes(10);
  EXPECT_TRUE(absl::IsOutOfRange(strokes.status())) << strokes.status();
}

TEST(StoreRoundTrip, AReaderKeepsItsStoreOpen) {
  const ScratchDirectory scratch;
  MustWrite(scratch.File("a"), SampleDrawings(10));
  std::unique_ptr<DrawingReader> reader =
      MustOpen(scratch.File("a"))->NewDrawingReader();
  std::filesystem::remove_all(scratch.File("a"));
  EXPECT_TRUE(reader->ReadStrokes(9).ok());
}

TEST(StoreRoundTrip, RealDrawingsTakeAtMostNinetyBytes) {
  const std::string path =
      testing::QuickDrawFile("simplified_no_metadata.ndjson.gz");
  if (path.empty()) GTEST_SKIP() << "no Quick, Draw! data beside the checkout";
  const ScratchDirectory scratch;
  std::vector<Drawing> drawings;
  for (auto& published : testing::ReadPublishedDrawings(path, 20000)) {
    drawings.push_back(std::move(published.drawing));
  }
  MustWrite(scratch.File("a"), drawings);
  const auto store = MustOpen(scratch.File("a"));
  ExpectHolds(*store, drawings);
  EXPECT_LE(store->info().bytes_on_disk, drawings.size() * 90);
}

}  // namespace
}  // namespace inkstream::store

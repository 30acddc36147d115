// Splits that name their drawings, and the scale of stroke deltas.

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/generation/manifest.h"
#include "server/store/store_verifier.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

using ::testing::HasSubstr;
using testing::ScratchDirectory;
using ::testing::StartsWith;

// As sketch-rnn: all dx and dy in one list.
double StdOf(const std::vector<Drawing>& drawings,
             const StoreReader* store = nullptr, size_t split = 0) {
  std::vector<double> deltas;
  for (size_t d = 0; d < drawings.size(); ++d) {
    if (store != nullptr && !store->InSplit(split, d)) continue;
    for (size_t i = 1; i < drawings[d].x.size(); ++i) {
      deltas.push_back(drawings[d].x[i] - drawings[d].x[i - 1]);
      deltas.push_back(drawings[d].y[i] - drawings[d].y[i - 1]);
    }
  }
  double mean = 0;
  for (const double delta : deltas) mean += delta / deltas.size();
  double square = 0;
  for (const double d : deltas) square += (d - mean) * (d - mean);
  return std::sqrt(square / deltas.size());
}

TEST(DeltaStd, IsThatOfAllDeltasForTheStoreAndEachSplit) {
  const ScratchDirectory scratch;
  const std::vector<Drawing> drawings = SampleDrawings(3000);
  WriterOptions options;
  options.splits = {{"train", 0.6}, {"valid", 0.4}};
  MustWrite(scratch.File("a"), drawings, options);
  const auto store = MustOpen(scratch.File("a"));
  EXPECT_NEAR(store->info().delta_std, StdOf(drawings), 1e-6);
  for (size_t s = 0; s < 2; ++s) {
    EXPECT_NEAR(store->info().splits[s].delta_std,
                StdOf(drawings, store.get(), s), 1e-6);
  }
}

TEST(DeltaStd, IsNotKnownOfDotsAndOfStoresWithoutSums) {
  const ScratchDirectory scratch;
  MustWrite(scratch.File("a"), {OneStroke({7}, {8})});
  EXPECT_EQ(MustOpen(scratch.File("a"))->info().delta_std, 0);
}

TEST(ListedSplits, ADrawingIsInTheSplitItNamesAndElseWhereItsHashFalls) {
  const ScratchDirectory scratch;
  std::vector<Drawing> drawings = SampleDrawings(40000);
  for (size_t i = 0; i < drawings.size(); ++i) {
    if (i % 10 == 3) drawings[i].split = "held-out";
    if (i % 10 == 4) drawings[i].split = "valid";
  }
  WriterOptions options;
  options.splits = {{"train", 0.5}, {"valid", 0.5}};
  options.listed_by = "list";
  options.segment_drawings = 15000;
  MustWrite(scratch.File("a"), drawings, options);
  const auto store = MustOpen(scratch.File("a"));
  const StoreInfo& info = store->info();
  ASSERT_EQ(info.splits.size(), 3);
  EXPECT_TRUE(info.listed_splits);
  EXPECT_EQ(info.splits[2].name, "held-out");
  EXPECT_THAT(info.splits[1].rule,
              StartsWith("hash:inkstream/1:[0.5,1)+list:"));
  EXPECT_THAT(info.splits[2].rule, StartsWith("list:"));
  std::vector<uint64_t> counts(3);
  const auto reader = store->NewDrawingReader();
  for (uint64_t i = 0; i < store->size(); ++i) {
    const int32_t split = store->SplitOf(i);
    ASSERT_GE(split, 0);
    ++counts[split];
    ASSERT_EQ(split == 2, i % 10 == 3);
    ASSERT_TRUE(split == 1 || i % 10 != 4);
    Drawing drawing;
    ASSERT_TRUE(reader->ReadDrawing(i, &drawing).ok());
    ASSERT_EQ(drawing, drawings[i]);
  }
  for (size_t s = 0; s < 3; ++s) EXPECT_EQ(counts[s], info.splits[s].drawings);
  EXPECT_EQ(counts[2], 4000);
  const auto report = VerifyStore(scratch.File("a"));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->problems, ::testing::IsEmpty());
}

TEST(ListedSplits, TheRuleNamesTheVeryMembersAndNotTheirOrder) {
  const ScratchDirectory scratch;
  std::vector<Drawing> drawings = SampleDrawings(100);
  for (size_t i = 0; i < 50; ++i) drawings[i].split = "a";
  for (size_t i = 50; i < 100; ++i) drawings[i].split = "b";
  MustWrite(scratch.File("1"), drawings);
  std::swap(drawings[3], drawings[4]);
  MustWrite(scratch.File("2"), drawings);
  std::swap(*drawings[3].split, *drawings[80].split);
  MustWrite(scratch.File("3"), drawings);
  const auto rule = [&](const char* file) {
    return MustOpen(scratch.File(file))->info().splits[0].rule;
  };
  EXPECT_THAT(rule("1"), StartsWith("source:"));
  EXPECT_EQ(rule("1"), rule("2"));
  EXPECT_NE(rule("2"), rule("3"));
}

TEST(ListedSplits, NobodyIsInASplitThatWasNotAskedForAndIsEmpty) {
  const ScratchDirectory scratch;
  std::vector<Drawing> drawings = SampleDrawings(10);
  for (Drawing& drawing : drawings) drawing.split = "only";
  MustWrite(scratch.File("a"), drawings);
  ASSERT_EQ(MustOpen(scratch.File("a"))->info().splits.size(), 1);
  EXPECT_EQ(MustOpen(scratch.File("a"))->info().splits[0].name, "only");
}

TEST(ListedSplits, AnOlderReaderIsTold) {
  const ScratchDirectory scratch;
  std::vector<Drawing> drawings = SampleDrawings(10);
  MustWrite(scratch.File("plain"), drawings);
  drawings[0].split = "a";
  MustWrite(scratch.File("listed"), drawings);
  EXPECT_THAT(testing::ReadWholeFile(scratch.File("plain/MANIFEST")),
              HasSubstr("\"requires\": []"));
  EXPECT_THAT(testing::ReadWholeFile(scratch.File("listed/MANIFEST")),
              HasSubstr("\"requires\": [\"listed splits\"]"));
}

}  // namespace
}  // namespace inkstream::store

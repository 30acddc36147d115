#include "server/store/writing/packed_drawings.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/strokes/raw_codec.h"
#include "server/store/writing/fingerprint.h"
#include "tests/store/sample_drawings.h"

namespace inkstream::store {
namespace {

// Every combination of columns, with splits and raw ones among them.
std::vector<Drawing> Mixed() {
  std::vector<Drawing> drawings = SampleDrawings(300);
  for (size_t i = 0; i < drawings.size(); ++i) {
    Drawing& drawing = drawings[i];
    if (i & 1) drawing.word.reset();
    if (i & 2) drawing.countrycode.reset();
    if (i & 4) drawing.timestamp.reset();
    if (i & 8) drawing.recognized.reset();
    if (i & 16) drawing.key_id.reset();
    if (i % 3 == 0) drawing.split = i % 2 == 0 ? "train" : "valid";
    if (i % 7 == 0) {
      drawing.raw.x.assign(drawing.x.begin(), drawing.x.end());
      drawing.raw.y.assign(drawing.y.begin(), drawing.y.end());
      drawing.raw.x.front() += 0.25;
      drawing.raw.t.resize(drawing.x.size(), 1.5);
      FillCanvas(&drawing);
    }
  }
  return drawings;
}

TEST(PackedDrawingsTest, WhatIsPackedComesBackAndIsItsCanonicalBytes) {
  const std::vector<Drawing> drawings = Mixed();
  const PackedDrawings packed(drawings);
  EXPECT_EQ(packed.Unpack(), drawings);
  for (size_t i = 0; i < drawings.size(); ++i) {
    std::string canonical;
    AppendCanonical(drawings[i], &canonical);
    ASSERT_EQ(packed.canonical(i), canonical);
    ASSERT_EQ(packed.points(i), drawings[i].x.size());
  }
}

TEST(PackedDrawingsTest, WhatAReaderFoundIsPackedAsTheDrawingIs) {
  for (Drawing drawing : Mixed()) {
    if (!drawing.raw.empty()) continue;
    drawing.split.reset();
    const std::vector<uint8_t> x(drawing.x.begin(), drawing.x.end());
    const std::vector<uint8_t> y(drawing.y.begin(), drawing.y.end());
    FoundDrawing found;
    found.strokes = {drawing.stroke_ends, x, y};
    if (drawing.word) found.word = *drawing.word;
    if (drawing.countrycode) found.countrycode = *drawing.countrycode;
    found.timestamp = drawing.timestamp;
    found.recognized = drawing.recognized;
    found.key_id = drawing.key_id;
    PackedDrawings packed;
    packed.Add(found);
    ASSERT_EQ(packed, PackedDrawings({drawing}));
  }
}

TEST(PackedDrawingsTest, OneOfAnotherTakesItsSplitAlong) {
  const std::vector<Drawing> drawings = Mixed();
  const PackedDrawings all(drawings);
  PackedDrawings some;
  std::vector<Drawing> expected;
  for (size_t i = 1; i < drawings.size(); i += 3) {
    some.Add(all, i - 1);
    expected.push_back(drawings[i - 1]);
  }
  EXPECT_EQ(some.Unpack(), expected);
}

TEST(PackedDrawingsTest, MoreSplitsThanAreSearchedKeepTheirNames) {
  PackedDrawings packed(SampleDrawings(100));
  for (size_t i = 0; i < packed.size(); ++i) {
    packed.SetSplit(i, absl::StrCat("s", i % 50));
  }
  for (size_t i = 0; i < packed.size(); ++i) {
    ASSERT_EQ(*packed.split(i), absl::StrCat("s", i % 50));
  }
}

}  // namespace
}  // namespace inkstream::store

// Raw drawings come back bit for bit, alone and through a store.

#include "server/store/strokes/raw_codec.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/drawing_rules.h"
#include "server/store/generation/manifest.h"
#include "server/store/store_verifier.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Drawing Raw(std::vector<double> x, std::vector<double> y,
            std::vector<double> t) {
  Drawing drawing;
  drawing.stroke_ends = {static_cast<uint32_t>(x.size())};
  drawing.raw = {std::move(x), std::move(y), std::move(t)};
  FillCanvas(&drawing);
  return drawing;
}

bool SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

void ExpectComesBack(const Drawing& drawing) {
  ASSERT_TRUE(ValidateDrawing(drawing).ok()) << ValidateDrawing(drawing);
  std::string record;
  EncodeRawRecord(drawing, &record);
  Drawing found;
  const absl::Status status = DecodeRawRecord(record, &found);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(found.stroke_ends, drawing.stroke_ends);
  EXPECT_TRUE(SameBits(found.raw.x, drawing.raw.x));
  EXPECT_TRUE(SameBits(found.raw.y, drawing.raw.y));
  EXPECT_TRUE(SameBits(found.raw.t, drawing.raw.t));
}

// Every kind of number that a source may have, seeded.
std::vector<double> Series(std::mt19937_64* random, size_t points) {
  std::vector<double> values(points);
  const uint64_t kind = (*random)() % 8;
  for (double& value : values) {
    const double whole = static_cast<double>((*random)() % 4001) - 1000;
    switch (kind) {
      case 0:
        value = whole;
        break;
      case 1:
        value = whole / 8;
        break;
      case 2:
        value = whole / 1000;
        break;
      case 3:
        value = static_cast<float>(whole / 1000);
        break;
      case 4:
        value = std::sqrt(std::fabs(whole));
        break;
      case 5:
        value = 1e6 / (1 + std::fabs(whole));
        break;
      case 6:
        value = -0.0;
        break;
      default:
        value = whole * 1e-300;
        break;
    }
  }
  return values;
}

TEST(RawCodecTest, EveryKindOfNumberComesBackBitForBit) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    const size_t points = 1 + random() % 40;
    Drawing drawing = Raw(Series(&random, points), Series(&random, points),
                          Series(&random, points));
    if (points > 3) drawing.stroke_ends = {1, 3, drawing.stroke_ends[0]};
    ExpectComesBack(drawing);
  }
}

TEST(RawCodecTest, TheLargestDrawingComesBack) {
  std::mt19937_64 random(2);
  std::vector<double> x(65535), y(65535), t(65535);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = std::sqrt(static_cast<double>(random() % 1000003));
    y[i] = -std::sqrt(static_cast<double>(random() % 1000003));
    t[i] = 9007199254740992.0 / static_cast<double>(1 + random() % 1000);
  }
  ExpectComesBack(Raw(x, y, t));
}

TEST(RawCodecTest, WholeNumbersTakeAByteAnAxisOrLess) {
  std::vector<double> x, y, t;
  for (int i = 0; i < 200; ++i) {
    x.push_back(300 + i % 7);
    y.push_back(400 - i % 5);
    t.push_back(16 * i);
  }
  std::string record;
  EncodeRawRecord(Raw(x, y, t), &record);
  EXPECT_LT(record.size(), 200 * 3);
}

TEST(RawCodecTest, CutRecordsAreDamage) {
  std::string record;
  EncodeRawRecord(Raw({1.5, 2, 1000}, {3, 4.25, -7}, {0, 16, 12}), &record);
  Drawing found;
  for (size_t size = 0; size < record.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(
        DecodeRawRecord(absl::string_view(record).substr(0, size), &found)))
        << size;
  }
  EXPECT_TRUE(absl::IsDataLoss(DecodeRawRecord(record + '\0', &found)));
}

TEST(RawCanvasTest, TheLargerSideIs255AndTimesCountFromTheFirstPoint) {
  const Drawing drawing =
      Raw({100, 300, 200}, {50, 150, 100}, {1000, 1016, 1008});
  EXPECT_THAT(drawing.x, ElementsAre(0, 255, 127.5));
  EXPECT_THAT(drawing.y, ElementsAre(0, 127.5, 63.75));
  EXPECT_THAT(drawing.t, ElementsAre(0, 16, 8));
}

TEST(RawCanvasTest, ASingleDotStaysAtTheOrigin) {
  const Drawing drawing = Raw({700, 700}, {9, 9}, {5, 6});
  EXPECT_THAT(drawing.x, ElementsAre(0, 0));
  EXPECT_THAT(drawing.y, ElementsAre(0, 0));
}

class RawStoreTest : public ::testing::Test {
 protected:
  // Raw and simplified ones by turns, in runs of `run`.
  static std::vector<Drawing> Mixed(size_t count, size_t run) {
    std::vector<Drawing> drawings = SampleDrawings(count);
    for (size_t i = 0; i < count; ++i) {
      if (i / run % 2 == 1) continue;
      Drawing& drawing = drawings[i];
      const double shift = static_cast<double>(i) / 4;
      for (size_t p = 0; p < drawing.x.size(); ++p) {
        drawing.raw.x.push_back(drawing.x[p] * 3 + shift);
        drawing.raw.y.push_back(drawing.y[p] * 2 - shift);
        drawing.raw.t.push_back(static_cast<double>(17 * p));
      }
      if (i % 5 == 0) drawing.key_id.reset();
      FillCanvas(&drawing);
    }
    return drawings;
  }

  void ExpectHolds(const std::vector<Drawing>& drawings) {
    const std::string path = scratch_.File("s.ink");
    const std::string fingerprint = MustWrite(path, drawings);
    const auto store = MustOpen(path);
    const auto reader = store->NewDrawingReader();
    uint64_t raw = 0;
    Drawing found;
    for (uint64_t i = 0; i < drawings.size(); ++i) {
      ASSERT_TRUE(reader->ReadDrawing(i, &found).ok());
      ASSERT_TRUE(found == drawings[i]) << i << ": " << Describe(found);
      const auto strokes = reader->ReadStrokes(i);
      ASSERT_TRUE(strokes.ok());
      ASSERT_TRUE(std::equal(strokes->t.begin(), strokes->t.end(),
                             drawings[i].t.begin(), drawings[i].t.end()));
      ASSERT_EQ(strokes->x.back(), drawings[i].x.back());
      raw += !drawings[i].raw.empty();
    }
    EXPECT_EQ(store->info().with_times, raw);
    EXPECT_EQ(store->info().has_times, raw > 0);
    const auto report = VerifyStore(path, {}, nullptr);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->problems.empty()) << report->problems.front();
    EXPECT_EQ(report->fingerprint, fingerprint);
  }

  const testing::ScratchDirectory scratch_;
};

TEST_F(RawStoreTest, RawDrawingsAloneComeBack) {
  ExpectHolds(Mixed(3000, 5000));
}

TEST_F(RawStoreTest, RawAndSimplifiedDrawingsShareAStore) {
  ExpectHolds(Mixed(3000, 37));
}

TEST_F(RawStoreTest, OlderReadersRefuseAStoreWithRawDrawings) {
  MustWrite(scratch_.File("raw.ink"), Mixed(10, 5));
  EXPECT_THAT(testing::ReadWholeFile(scratch_.File("raw.ink/MANIFEST")),
              HasSubstr("\"requires\": [\"raw\"]"));
  MustWrite(scratch_.File("plain.ink"), SampleDrawings(10));
  EXPECT_THAT(testing::ReadWholeFile(scratch_.File("plain.ink/MANIFEST")),
              HasSubstr("\"requires\": []"));
}

TEST_F(RawStoreTest, TheFingerprintCoversTimesAndFractions) {
  std::vector<Drawing> drawings = Mixed(20, 50);
  const std::string before = MustWrite(scratch_.File("a.ink"), drawings);
  drawings[7].raw.t.back() += 1;
  FillCanvas(&drawings[7]);
  const std::string times = MustWrite(scratch_.File("b.ink"), drawings);
  EXPECT_NE(before, times);
  drawings[7].raw.x[0] += 0x1p-20;
  FillCanvas(&drawings[7]);
  EXPECT_NE(times, MustWrite(scratch_.File("c.ink"), drawings));
}

TEST_F(RawStoreTest, WhatIsNotRawIsRefused) {
  Drawing drawing = Raw({1, 2}, {3, 4}, {0, 1});
  drawing.raw.x[1] = 1e7;
  EXPECT_THAT(ValidateDrawing(drawing).message(),
              HasSubstr("raw x of point 1"));
  drawing = Raw({1, 2}, {3, 4}, {0, 1});
  drawing.raw.t.pop_back();
  EXPECT_THAT(ValidateDrawing(drawing).message(), HasSubstr("1 raw t"));
  drawing = Raw({1, 2}, {3, 4}, {0, std::nan("")});
  EXPECT_FALSE(ValidateDrawing(drawing).ok());
}

}  // namespace
}  // namespace inkstream::store

#include "server/ingest/formats/official_simplifier.h"

#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/ingest/ingest_job.h"
#include "tests/support/fake_store_writer.h"

namespace inkstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Drawing Simplified(const std::vector<uint32_t>& ends,
                   const std::vector<double>& x, const std::vector<double>& y) {
  OfficialSimplifier simplifier;
  Drawing drawing;
  const absl::Status status = simplifier.Simplify(ends, x, y, &drawing);
  EXPECT_TRUE(status.ok()) << status;
  return drawing;
}

TEST(OfficialSimplifierTest, TheLargerSideBecomes255AndTheOriginIsItsCorner) {
  const Drawing drawing = Simplified({2}, {100, 200}, {50, 100});
  EXPECT_THAT(drawing.x, ElementsAre(0, 255));
  EXPECT_THAT(drawing.y, ElementsAre(0, 128));  // 127.5, half to even
}

TEST(OfficialSimplifierTest, PointsOnALineGoAndCornersStay) {
  const Drawing drawing =
      Simplified({5}, {0, 50, 100, 100, 100}, {0, 0, 0, 50, 100});
  EXPECT_THAT(drawing.x, ElementsAre(0, 255, 255));
  EXPECT_THAT(drawing.y, ElementsAre(0, 0, 255));
}

// Without a bound this one takes the better part of a minute.
TEST(OfficialSimplifierTest, AZigzagOfAllPointsIsRefusedBeforeItTakesLong) {
  constexpr uint32_t kPoints = 65535;
  std::vector<double> x(kPoints), y(kPoints);
  for (uint32_t i = 0; i < kPoints; ++i) {
    x[i] = 255.0 * i / kPoints;
    y[i] = i % 2 == 0 ? 0 : 15;
  }
  OfficialSimplifier simplifier;
  Drawing drawing;
  const absl::Status status = simplifier.Simplify({{kPoints}}, x, y, &drawing);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("too long and winding"));
  // The next drawing has the whole of the budget.
  EXPECT_TRUE(simplifier.Simplify({{2}}, {1, 2}, {3, 4}, &drawing).ok());
}

TEST(OfficialSimplifierTest, BendsUnderTwoPixelsGo) {
  EXPECT_EQ(Simplified({3}, {0, 50, 100}, {0, 0.7, 0}).x.size(), 2);
  EXPECT_EQ(Simplified({3}, {0, 50, 100}, {0, 0.9, 0}).x.size(), 3);
}

TEST(OfficialSimplifierTest, ADotBecomesTwoEqualPoints) {
  const Drawing drawing = Simplified({2, 3}, {0, 10, 5}, {0, 10, 5});
  EXPECT_THAT(drawing.stroke_ends, ElementsAre(2, 4));
  EXPECT_THAT(drawing.x, ElementsAre(0, 255, 128, 128));
}

TEST(OfficialSimplifierTest, ALoneDotStandsAtTheOrigin) {
  EXPECT_THAT(Simplified({1}, {70}, {90}).x, ElementsAre(0, 0));
}

TEST(OfficialSimplifierTest, WhatIsNotAPointIsRefused) {
  OfficialSimplifier simplifier;
  Drawing drawing;
  const std::vector<uint32_t> ends = {2};
  EXPECT_FALSE(
      simplifier.Simplify(ends, {0.0, NAN}, {0.0, 1.0}, &drawing).ok());
  EXPECT_FALSE(simplifier.Simplify(ends, {0.0}, {0.0}, &drawing).ok());
  EXPECT_FALSE(simplifier.Simplify({}, {}, {}, &drawing).ok());
  const std::vector<uint32_t> empty_stroke = {0, 2};
  EXPECT_FALSE(
      simplifier.Simplify(empty_stroke, {0.0, 1.0}, {0.0, 1.0}, &drawing).ok());
}

TEST(OfficialSimplifierTest, AScribbleOverTheLimitIsRefused) {
  std::vector<double> x, y;
  for (int i = 0; i < 8400; ++i) {
    x.push_back(i % 2 == 0 ? 0 : 100);
    y.push_back(0);
  }
  OfficialSimplifier simplifier;
  Drawing drawing;
  const std::vector<uint32_t> ends = {static_cast<uint32_t>(x.size())};
  const absl::Status status = simplifier.Simplify(ends, x, y, &drawing);
  EXPECT_THAT(std::string(status.message()), HasSubstr("longer than"));
}

std::map<int64_t, Drawing> ByKey(const std::string& path) {
  testing::FakeStoreWriter writer;
  IngestOptions options;
  options.inputs = {{path, 0}};
  IngestReport report;
  EXPECT_TRUE(RunIngest(options, &writer, &report).ok());
  std::map<int64_t, Drawing> drawings;
  for (Drawing& drawing : writer.kept) {
    if (drawing.key_id.has_value()) {
      drawings.emplace(*drawing.key_id, std::move(drawing));
    }
  }
  return drawings;
}

TEST(OfficialSimplifierTest, RawDrawingsBecomeGooglesOwnSimplifiedOnes) {
  const std::string folder = INKSTREAM_SHARED_DATA;
  if (!std::filesystem::exists(folder + "/raw.ndjson.gz")) {
    GTEST_SKIP() << "no real drawings at ../shared/data";
  }
  const std::map<int64_t, Drawing> raw = ByKey(folder + "/raw.ndjson.gz");
  std::map<int64_t, Drawing> published =
      ByKey(folder + "/simplified.ndjson.gz");
  published.merge(ByKey(folder + "/simplified_no_metadata.ndjson.gz"));
  size_t both = 0;
  size_t equal = 0;
  size_t near = 0;  // as many points, or one more or less
  for (const auto& [key, drawing] : raw) {
    const auto found = published.find(key);
    if (found == published.end()) continue;
    ++both;
    const Drawing& google = found->second;
    equal += drawing.stroke_ends == google.stroke_ends &&
             drawing.x == google.x && drawing.y == google.y;
    near += drawing.stroke_ends.size() == google.stroke_ends.size() &&
            drawing.x.size() + 1 >= google.x.size() &&
            google.x.size() + 1 >= drawing.x.size();
  }
  std::cout << equal << " of " << both << " equal\n";
  EXPECT_GT(both, 5000);
  EXPECT_GE(equal + 1, both);
  EXPECT_EQ(near, both);
}

}  // namespace
}  // namespace inkstream::ingest

// The fast rasteriser against the slow clear one, on random drawings and
// specs.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>
#include <vector>

#include "server/raster/draw/rasterizer.h"
#include "tests/support/generated_drawings.h"
#include "tests/support/image_difference.h"
#include "tests/support/reference_rasterizer.h"

namespace inkstream {
namespace {

using testing::DrawingKind;
using testing::GeneratedDrawing;
using testing::ImageDifference;

std::string Describe(const ImageSpec& spec) {
  std::ostringstream text;
  text << spec.height << "x" << spec.width << " line " << spec.line_width
       << " padding " << spec.padding << " fit " << static_cast<int>(spec.fit);
  return text.str();
}

ImageDifference Compare(const ImageSpec& spec, const Drawing& drawing) {
  auto rasterizer = raster::Rasterizer::Create(spec);
  EXPECT_TRUE(rasterizer.ok()) << rasterizer.status();
  std::vector<uint8_t> image((*rasterizer)->image_bytes(), 77);
  (*rasterizer)->Draw(drawing.strokes(), image.data());
  ImageDifference difference;
  difference.Add(image, testing::ReferenceRaster(spec, drawing.strokes()));
  return difference;
}

TEST(ReferenceDifference, IsSmallForRandomDrawingsAndSpecs) {
  std::mt19937 random(20);
  const auto in = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int round = 0; round < 150; ++round) {
    ImageSpec spec;
    spec.height = static_cast<uint32_t>(in(1, 90));
    spec.width = static_cast<uint32_t>(in(1, 90));
    spec.line_width =
        static_cast<float>(in(1, 64)) * (round % 2 ? 1.0F : 0.25F);
    spec.padding = static_cast<float>(in(0, 40));
    spec.fit = static_cast<Fit>(round % 3);
    const DrawingKind kind =
        std::vector{DrawingKind::kScribble, DrawingKind::kLongLines,
                    DrawingKind::kDots, DrawingKind::kOutside}[in(0, 3)];
    const Drawing drawing =
        GeneratedDrawing(kind, static_cast<uint64_t>(round));
    const ImageDifference difference = Compare(spec, drawing);
    // Corners inside a pixel are what the two see differently; an image of
    // few pixels may consist of them.
    const bool few = std::min(spec.height, spec.width) < 8;
    EXPECT_LE(difference.mean(), few ? 8.0 : 2.0)
        << Describe(spec) << " round " << round;
    EXPECT_LE(difference.most(), 160) << Describe(spec) << " round " << round;
  }
}

// Where nothing meets, coverage is exact up to the table's and the reference's
// own steps, in any direction and for any width.
TEST(ReferenceDifference, IsATableStepForOneLine) {
  std::mt19937 random(21);
  const auto in = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int round = 0; round < 150; ++round) {
    ImageSpec spec;
    spec.height = static_cast<uint32_t>(in(30, 120));
    spec.width = static_cast<uint32_t>(in(30, 120));
    spec.line_width = static_cast<float>(in(2, 60));
    // Ends lie outside: caps follow Cairo's polygons, not circles.
    Drawing drawing;
    const float offset = static_cast<float>(in(-40, 40));
    drawing.x = {-300.0F, 500.0F};
    drawing.y = {static_cast<float>(in(-500, 500)),
                 static_cast<float>(in(-500, 500)) + offset};
    if (round % 2 == 1) std::swap(drawing.x, drawing.y);
    drawing.stroke_ends = {2};
    const ImageDifference difference = Compare(spec, drawing);
    EXPECT_LE(difference.mean(), 1.0) << Describe(spec) << " round " << round;
    EXPECT_LE(difference.most(), 24) << Describe(spec) << " round " << round;
  }
}

}  // namespace
}  // namespace inkstream

#include "server/raster/draw/rasterizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "tests/support/generated_drawings.h"

namespace inkstream {
namespace {

using testing::DrawingKind;
using ::testing::Each;
using testing::GeneratedDrawing;

ImageSpec Sized(uint32_t height, uint32_t width) {
  ImageSpec spec;
  spec.height = height;
  spec.width = width;
  return spec;
}

std::unique_ptr<raster::Rasterizer> Make(const ImageSpec& spec) {
  auto rasterizer = raster::Rasterizer::Create(spec);
  EXPECT_TRUE(rasterizer.ok()) << rasterizer.status();
  return std::move(rasterizer).value();
}

std::vector<uint8_t> Draw(const ImageSpec& spec, const Drawing& drawing) {
  auto rasterizer = Make(spec);
  std::vector<uint8_t> image(rasterizer->image_bytes(), 77);
  rasterizer->Draw(drawing.strokes(), image.data());
  return image;
}

// One stroke through the given points.
Drawing Stroke(std::vector<float> x, std::vector<float> y) {
  Drawing drawing;
  drawing.stroke_ends = {static_cast<uint32_t>(x.size())};
  drawing.x = std::move(x);
  drawing.y = std::move(y);
  return drawing;
}

void Append(Drawing& to, const Drawing& from) {
  to.x.insert(to.x.end(), from.x.begin(), from.x.end());
  to.y.insert(to.y.end(), from.y.begin(), from.y.end());
  to.stroke_ends.push_back(static_cast<uint32_t>(to.x.size()));
}

TEST(Rasterizer, EmptyDrawingIsBlank) {
  EXPECT_THAT(Draw(Sized(28, 28), Drawing{}), Each(0));
  EXPECT_THAT(Draw(Sized(100, 7), Drawing{}), Each(0));
}

TEST(Rasterizer, StrokeWithoutPointsIsSkipped) {
  Drawing drawing = Stroke({0, 255}, {0, 255});
  const std::vector<uint8_t> expected = Draw(Sized(64, 64), drawing);
  drawing.stroke_ends = {0, 2, 2};
  EXPECT_EQ(Draw(Sized(64, 64), drawing), expected);
}

TEST(Rasterizer, SinglePointIsARoundDot) {
  ImageSpec spec = Sized(64, 64);
  spec.line_width = 64.0F;
  const std::vector<uint8_t> image = Draw(spec, Stroke({0}, {0}));
  // Where the maximum of x and y is 0, the origin is in the middle.
  EXPECT_EQ(image[32 * 64 + 32], 255);
  const double radius = 0.5 * 64.0 * 64.0 / (256.0 + 32.0 + 64.0);
  const double area = std::accumulate(image.begin(), image.end(), 0.0) / 255.0;
  EXPECT_NEAR(area, 3.14159 * radius * radius, 4.0);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      EXPECT_NEAR(image[y * 64 + x], image[(63 - y) * 64 + x], 12);
      EXPECT_NEAR(image[y * 64 + x], image[x * 64 + y], 12);
    }
  }
}

TEST(Rasterizer, SegmentOfNoLengthIsTheSameDot) {
  EXPECT_EQ(Draw(Sized(64, 64), Stroke({80, 80, 80}, {9, 9, 9})),
            Draw(Sized(64, 64), Stroke({80}, {9})));
}

TEST(Rasterizer, StrokeOverItselfIsNotDarker) {
  for (const uint32_t side : {28U, 64U, 128U}) {
    const Drawing once = Stroke({0, 255}, {10, 200});
    const Drawing twice = Stroke({0, 255, 0, 255}, {10, 200, 10, 200});
    const std::vector<uint8_t> a = Draw(Sized(side, side), once);
    const std::vector<uint8_t> b = Draw(Sized(side, side), twice);
    int most = 0;
    for (size_t i = 0; i < a.size(); ++i) most = std::max(most, b[i] - a[i]);
    // The way back is rounded the other way round.
    EXPECT_LE(most, 8) << side;
  }
}

TEST(Rasterizer, StrokesLieOverEachOther) {
  for (const uint32_t side : {28U, 128U}) {
    const Drawing once = Stroke({0, 255}, {10, 200});
    Drawing twice = once;
    Append(twice, once);
    const std::vector<uint8_t> a = Draw(Sized(side, side), once);
    const std::vector<uint8_t> b = Draw(Sized(side, side), twice);
    for (size_t i = 0; i < a.size(); ++i) {
      const int t = a[i] * (255 - a[i]) + 128;
      ASSERT_EQ(b[i], a[i] + ((t + (t >> 8)) >> 8)) << side << " at " << i;
    }
  }
}

TEST(Rasterizer, OrderOfStrokesHardlyMatters) {
  const Drawing a = Stroke({0, 255}, {0, 255});
  const Drawing b = Stroke({255, 0}, {0, 255});
  Drawing ab = a;
  Append(ab, b);
  Drawing ba = b;
  Append(ba, a);
  const auto x = Draw(Sized(64, 64), ab);
  const auto y = Draw(Sized(64, 64), ba);
  for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], 1);
}

TEST(Rasterizer, StrokesLeavingTheFrameAreCutAtItsEdge) {
  // The same line, once ending far outside.
  Drawing near = Stroke({255, 255}, {255, 255});
  Append(near, Stroke({-200, 255}, {-200, 255}));
  Drawing far = Stroke({255, 255}, {255, 255});
  Append(far, Stroke({-3e7F, 255}, {-3e7F, 255}));
  for (const uint32_t side : {28U, 128U, 1024U}) {
    const auto a = Draw(Sized(side, side), near);
    const auto b = Draw(Sized(side, side), far);
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_NEAR(a[i], b[i], 8) << side << " at " << i;
    }
  }
}

TEST(Rasterizer, CoordinatesThatAreNotFiniteAreHarmless) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, inf, -inf, 3e38F, -3e38F}) {
    Draw(Sized(28, 28), Stroke({0, bad, 255}, {0, 9, bad}));
    Draw(Sized(128, 128), Stroke({bad}, {bad}));
  }
}

TEST(Rasterizer, TenThousandPointsFit) {
  const Drawing drawing = GeneratedDrawing(DrawingKind::kThousands, 3);
  ASSERT_EQ(drawing.x.size(), 10000);
  const auto image = Draw(Sized(128, 128), drawing);
  EXPECT_GT(std::count(image.begin(), image.end(), 255), 1000);
}

TEST(Rasterizer, AnySizeIsWrittenExactly) {
  const Drawing drawing = GeneratedDrawing(DrawingKind::kScribble, 5);
  for (const auto& [height, width] : {std::pair{1U, 1U},
                                      {1U, 1024U},
                                      {1024U, 1U},
                                      {2U, 3U},
                                      {15U, 400U},
                                      {400U, 15U},
                                      {33U, 65U},
                                      {127U, 129U},
                                      {1024U, 1024U}}) {
    auto rasterizer = Make(Sized(height, width));
    ASSERT_EQ(rasterizer->image_bytes(), size_t{height} * width);
    // Guard bytes on both sides of an odd address.
    std::vector<uint8_t> memory(rasterizer->image_bytes() + 129, 77);
    rasterizer->Draw(drawing.strokes(), memory.data() + 65);
    EXPECT_THAT(std::vector(memory.begin(), memory.begin() + 65), Each(77));
    EXPECT_THAT(std::vector(memory.end() - 64, memory.end()), Each(77));
    const int ink = std::accumulate(memory.begin() + 65, memory.end() - 64, 0);
    EXPECT_GT(ink, 0) << height << "x" << width;
  }
}

TEST(Rasterizer, WideImageHoldsTheSquareInItsMiddle) {
  const Drawing drawing = GeneratedDrawing(DrawingKind::kScribble, 6);
  const auto square = Draw(Sized(64, 64), drawing);
  const auto wide = Draw(Sized(64, 128), drawing);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      // Sixteen-bit steps are counted from another block.
      ASSERT_NEAR(wide[y * 128 + 32 + x], square[y * 64 + x], 8);
    }
  }
}

TEST(Rasterizer, LinesOfEveryWidthHaveTheirArea) {
  for (const float width : {0.05F, 0.5F, 1.0F, 4.0F, 16.0F, 64.0F, 256.0F}) {
    ImageSpec spec = Sized(128, 128);
    spec.line_width = width;
    spec.padding = 0.0F;
    // Level and far beyond both sides.
    Drawing drawing = Stroke({-2000, 2000}, {100, 100});
    const auto image = Draw(spec, drawing);
    const double area =
        std::accumulate(image.begin(), image.end(), 0.0) / 255.0 / 128.0;
    const double expected = width * 128.0 / (256.0 + width);
    EXPECT_NEAR(area, expected, 0.02 * expected + 0.02) << width;
  }
}

TEST(Rasterizer, BoxFillsTheFrameAndKeepsTheAspect) {
  ImageSpec spec = Sized(100, 100);
  spec.fit = Fit::kBox;
  const auto image = Draw(spec, Stroke({10, 20}, {100, 105}));
  // 256 of 304 units wide and half as high, in the middle.
  const auto ink_at = [&](int x, int y) { return image[y * 100 + x]; };
  EXPECT_GT(ink_at(9, 29), 200);
  EXPECT_GT(ink_at(90, 70), 200);
  EXPECT_EQ(ink_at(50, 20), 0);
  EXPECT_EQ(ink_at(50, 80), 0);
}

TEST(Rasterizer, StretchFillsBothAxes) {
  ImageSpec spec = Sized(100, 200);
  spec.fit = Fit::kStretch;
  const auto image = Draw(spec, Stroke({10, 20}, {100, 105}));
  EXPECT_GT(image[9 * 200 + 9], 200);
  EXPECT_GT(image[90 * 200 + 190], 200);
}

TEST(Rasterizer, DrawingLeavesNothingBehind) {
  for (const uint32_t side : {28U, 31U, 64U, 130U}) {
    auto used = Make(Sized(side, side));
    std::vector<uint8_t> image(used->image_bytes());
    for (uint64_t seed = 0; seed < 100; ++seed) {
      const auto kind =
          seed % 4 == 0 ? DrawingKind::kOutside : DrawingKind::kScribble;
      const Drawing drawing = GeneratedDrawing(kind, seed);
      used->Draw(drawing.strokes(), image.data());
      ASSERT_EQ(image, Draw(Sized(side, side), drawing)) << side << " " << seed;
    }
  }
}

TEST(Rasterizer, DrawingAgainGivesTheSame) {
  auto rasterizer = Make(Sized(128, 128));
  const Drawing first = GeneratedDrawing(DrawingKind::kScribble, 1);
  const Drawing second = GeneratedDrawing(DrawingKind::kThousands, 2);
  std::vector<uint8_t> a(rasterizer->image_bytes());
  std::vector<uint8_t> b(rasterizer->image_bytes());
  rasterizer->Draw(first.strokes(), a.data());
  rasterizer->Draw(second.strokes(), b.data());
  rasterizer->Draw(first.strokes(), b.data());
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace inkstream

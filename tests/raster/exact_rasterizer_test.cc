#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <limits>
#include <vector>

#include "server/raster/draw/rasterizer.h"
#include "server/raster/tensor/image_spec_check.h"
#include "server/raster/tensor/pixel_writer.h"
#include "tests/support/cairo_reference.h"
#include "tests/support/generated_drawings.h"
#include "tests/support/image_difference.h"

namespace inkstream {
namespace {

using testing::DrawingKind;
using testing::GeneratedDrawing;
using testing::GeneratedDrawings;

class ExactRasterizer : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto made = raster::Rasterizer::Create(Spec(28, 28));
    if (!made.ok()) GTEST_SKIP() << made.status();
  }

  static ImageSpec Spec(uint32_t height, uint32_t width) {
    ImageSpec spec;
    spec.height = height;
    spec.width = width;
    spec.quality = Quality::kExact;
    return spec;
  }

  static std::vector<uint8_t> Draw(const ImageSpec& spec,
                                   const StrokesView& strokes,
                                   const raster::DrawOptions& options = {}) {
    auto rasterizer = raster::Rasterizer::Create(spec);
    EXPECT_TRUE(rasterizer.ok()) << rasterizer.status();
    std::vector<uint8_t> image((*rasterizer)->image_bytes(), 77);
    (*rasterizer)->Draw(strokes, options, image.data());
    return image;
  }
};

TEST_F(ExactRasterizer, IsCairoByteForByteAtAnySize) {
  for (const auto& [height, width] : {std::pair{28U, 28U},
                                      {1U, 1U},
                                      {7U, 90U},
                                      {90U, 7U},
                                      {64U, 64U},
                                      {129U, 131U},
                                      {1024U, 1024U}}) {
    const ImageSpec spec = Spec(height, width);
    testing::CairoReference cairo(spec);
    std::vector<uint8_t> expected(cairo.image_bytes());
    for (const auto& [name, drawing] : GeneratedDrawings()) {
      if (name.substr(0, 7) == "outside") continue;
      cairo.Draw(drawing.strokes(), expected.data());
      ASSERT_EQ(Draw(spec, drawing.strokes()), expected)
          << name << " at " << height << "x" << width;
    }
  }
}

TEST_F(ExactRasterizer, IsNearTheFastOneUnderEveryFitAndOption) {
  raster::DrawOptions moved;
  moved.bounds = raster::Bounds{10.0F, 0.0F, 230.0F, 250.0F};
  moved.line_width_factor = 1.5F;
  for (const Fit fit : {Fit::kCanvas, Fit::kBox, Fit::kStretch}) {
    for (const auto& options : {raster::DrawOptions(), moved}) {
      for (const auto& [name, drawing] : GeneratedDrawings()) {
        ImageSpec spec = Spec(96, 130);
        spec.fit = fit;
        const auto exact = Draw(spec, drawing.strokes(), options);
        spec.quality = Quality::kFast;
        const auto fast = Draw(spec, drawing.strokes(), options);
        testing::ImageDifference difference;
        difference.Add(fast, exact);
        EXPECT_LE(difference.mean(), 1.0)
            << name << " fit " << static_cast<int>(fit);
      }
    }
  }
}

// The kernel's numbers hold 4,000 samples; a hairline has two a pixel.
TEST_F(ExactRasterizer, IsNearTheFastOneAtTheLargestSide) {
  const Drawing drawing = GeneratedDrawing(DrawingKind::kLongLines, 5);
  for (const float line_width : {0.3F, 16.0F}) {
    ImageSpec spec = Spec(raster::kMaxSide, raster::kMaxSide);
    spec.line_width = line_width;
    testing::ImageDifference difference;
    std::vector<uint8_t> images[2];
    for (const int fast : {0, 1}) {
      spec.quality = fast == 1 ? Quality::kFast : Quality::kExact;
      auto rasterizer = raster::Rasterizer::Create(spec, raster::kMaxSide);
      ASSERT_TRUE(rasterizer.ok()) << rasterizer.status();
      images[fast].resize((*rasterizer)->image_bytes());
      (*rasterizer)->Draw(drawing.strokes(), images[fast].data());
    }
    difference.Add(images[1], images[0]);
    EXPECT_LE(difference.mean(), 0.1) << line_width;
    EXPECT_LE(difference.edge_mean(), 6.0) << line_width;
  }
}

TEST_F(ExactRasterizer, SurvivesCoordinatesThatAreNotFiniteOrFarAway) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  auto rasterizer = raster::Rasterizer::Create(Spec(40, 40));
  ASSERT_TRUE(rasterizer.ok());
  std::vector<uint8_t> image((*rasterizer)->image_bytes());
  const Drawing good = GeneratedDrawing(DrawingKind::kScribble, 1);
  const auto expected = Draw(Spec(40, 40), good.strokes());
  for (const float bad : {nan, inf, -inf, 3e38F, -3e38F, 1e9F}) {
    Drawing drawing;
    drawing.x = {0, bad, 255, 3};
    drawing.y = {bad, 9, 10, bad};
    drawing.stroke_ends = {3, 4};
    (*rasterizer)->Draw(drawing.strokes(), image.data());
    // Nothing of it is left behind, Cairo's sticky errors least of all.
    (*rasterizer)->Draw(good.strokes(), image.data());
    ASSERT_EQ(image, expected) << bad;
  }
}

TEST_F(ExactRasterizer, FarLinesAreCutWithoutTurning) {
  Drawing near;
  near.x = {255, 255, -2000, 255};
  near.y = {255, 255, -2000, 255};
  near.stroke_ends = {2, 4};
  Drawing far = near;
  far.x[2] = far.y[2] = -3e7F;
  const auto a = Draw(Spec(128, 128), near.strokes());
  const auto b = Draw(Spec(128, 128), far.strokes());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 2) << i;
}

TEST_F(ExactRasterizer, FloatsAreTheFormulaOfItsBytes) {
  const Drawing drawing = GeneratedDrawing(DrawingKind::kScribble, 3);
  ImageSpec spec = Spec(28, 28);
  const auto bytes = Draw(spec, drawing.strokes());
  spec.dtype = DType::kFloat32;
  spec.mean = {0.25F};
  spec.std = {0.5F};
  const auto floats = Draw(spec, drawing.strokes());
  for (size_t i = 0; i < bytes.size(); ++i) {
    float value;
    std::memcpy(&value, &floats[4 * i], 4);
    ASSERT_EQ(value, raster::FloatPixel(bytes[i], 0.25F, 0.5F));
  }
}

}  // namespace
}  // namespace inkstream

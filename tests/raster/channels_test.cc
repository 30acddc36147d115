// Channels against what the ink path draws of each stroke and segment alone,
// put together in plain words.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "server/raster/augment/augmenter.h"
#include "server/raster/draw/rasterizer.h"
#include "tests/support/generated_drawings.h"
#include "tests/support/golden_tensors.h"

namespace inkstream {
namespace {

using testing::DrawingKind;
using testing::GeneratedDrawing;
using testing::GeneratedDrawings;
using testing::WithTimes;

const std::vector<std::string>& AllChannels() {
  static const auto* const names = new std::vector<std::string>{
      "ink", "order", "time", "pause", "speed", "direction", "constant"};
  return *names;
}

ImageSpec Square(uint32_t side, std::vector<std::string> channels) {
  ImageSpec spec;
  spec.height = spec.width = side;
  spec.channels = std::move(channels);
  return spec;
}

std::vector<uint8_t> Draw(const ImageSpec& spec, const StrokesView& strokes,
                          const raster::DrawOptions& options = {}) {
  auto rasterizer = raster::Rasterizer::Create(spec, 1024, true);
  EXPECT_TRUE(rasterizer.ok()) << rasterizer.status();
  std::vector<uint8_t> image((*rasterizer)->image_bytes(), 77);
  (*rasterizer)->Draw(strokes, options, image.data());
  return image;
}

double Rounded(double share) { return 55 + std::floor(200 * share + 0.5); }

// The value of the segment between points i and j, by the formulas of
// inkstream/image_spec.h in doubles and library functions.
double ValueOf(const std::string& channel, const StrokesView& v, size_t stroke,
               size_t i, size_t j) {
  const double dx = double{v.x[j]} - v.x[i];
  const double dy = double{v.y[j]} - v.y[i];
  if (channel == "order") return 255.0 - 13.0 * std::min<size_t>(stroke, 10);
  if (channel == "time") {
    const auto [t0, t1] = std::minmax_element(v.t.begin(), v.t.end());
    if (*t0 == *t1) return 255.0;
    return Rounded(1 - (0.5 * (v.t[i] + v.t[j]) - *t0) / (*t1 - *t0));
  }
  if (channel == "pause") {
    const double p =
        stroke == 0 ? 0.0 : v.t[v.begin(stroke)] - v.t[v.begin(stroke) - 1];
    return Rounded(p / (p + 500));
  }
  if (channel == "speed") {
    if (i == j) return 55.0;
    const double speed = std::hypot(dx, dy) / (v.t[j] - v.t[i]);
    return Rounded(speed / (speed + 0.5));
  }
  if (channel == "direction") {
    if (dx == 0 && dy == 0 && i > v.begin(stroke)) {
      return ValueOf(channel, v, stroke, i - 1, i);
    }
    double degrees = std::atan2(dy, dx) * 180 / std::acos(-1.0);
    if (degrees < 0) degrees += 360;
    return Rounded(degrees / 360);
  }
  return 255.0;
}

int MulBytes(int a, int b) {
  const int t = a * b + 128;
  return (t + (t >> 8)) >> 8;
}

// Every stroke over those before it; within a stroke, the segment that covers
// most. Each segment's coverage is what ink draws of it alone.
std::vector<uint8_t> Composed(const ImageSpec& spec, const StrokesView& v) {
  const size_t pixels = size_t{spec.height} * spec.width;
  ImageSpec ink = spec;
  ink.channels = {"ink"};
  raster::DrawOptions options;
  options.bounds = raster::BoundsOf(v);
  std::vector<uint8_t> out(pixels * spec.channels.size());
  for (size_t c = 0; c < spec.channels.size(); ++c) {
    uint8_t* const image = &out[c * pixels];
    if (spec.channels[c] == "constant") {
      std::fill_n(image, pixels, 255);
      continue;
    }
    for (size_t s = 0; s < v.strokes(); ++s) {
      std::vector<uint8_t> cover(pixels);
      std::vector<int> value(pixels);
      const size_t last = std::max(v.end(s) - 1, v.begin(s) + 1);
      for (size_t i = v.begin(s); i < last; ++i) {
        const size_t j = std::min(i + 1, v.end(s) - 1);
        Drawing segment;
        segment.x = {v.x[i], v.x[j]};
        segment.y = {v.y[i], v.y[j]};
        segment.stroke_ends = {2};
        const auto drawn = Draw(ink, segment.strokes(), options);
        const int level =
            static_cast<int>(ValueOf(spec.channels[c], v, s, i, j));
        for (size_t p = 0; p < pixels; ++p) {
          if (drawn[p] < cover[p]) continue;
          cover[p] = drawn[p];
          value[p] = level;
        }
      }
      for (size_t p = 0; p < pixels; ++p) {
        image[p] = static_cast<uint8_t>(MulBytes(cover[p], value[p]) +
                                        MulBytes(image[p], 255 - cover[p]));
      }
    }
  }
  return out;
}

TEST(Channels, AreComposedOfWhatInkDrawsOfEachSegment) {
  for (const auto& [name, plain] : GeneratedDrawings()) {
    // Strokes that are cut far outside are cut a little differently alone.
    if (plain.x.size() > 200 || name.substr(0, 7) == "outside") continue;
    const Drawing drawing = WithTimes(plain);
    ImageSpec spec = Square(64, AllChannels());
    spec.width = 70;
    const auto expected = Composed(spec, drawing.strokes());
    const auto actual = Draw(spec, drawing.strokes());
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) {
      // One level where a formula's result lies half-way between two.
      ASSERT_NEAR(actual[i], expected[i], 1)
          << name << " channel " << AllChannels()[i / (64 * 70)] << " pixel "
          << i % (64 * 70);
    }
  }
}

TEST(Channels, OfSmallImagesAreTheMeansOfTheirSamples) {
  // Two samples a pixel: an image of twice the size, whose own samples are
  // single, shows them but for what strokes lie over each other.
  for (const auto& [name, plain] : GeneratedDrawings()) {
    Drawing drawing = WithTimes(plain);
    drawing.stroke_ends = {drawing.stroke_ends[0]};
    drawing.x.resize(drawing.stroke_ends[0]);
    drawing.y.resize(drawing.stroke_ends[0]);
    drawing.t.resize(drawing.stroke_ends[0]);
    if (drawing.x.size() > 200) continue;
    ImageSpec large = Square(80, AllChannels());
    large.line_width = 30.0F;
    ImageSpec small = large;
    small.height = small.width = 40;
    const auto samples = Draw(large, drawing.strokes());
    const auto image = Draw(small, drawing.strokes());
    for (size_t c = 0; c < AllChannels().size(); ++c) {
      double sum = 0;
      for (size_t y = 0; y < 40; ++y) {
        for (size_t x = 0; x < 40; ++x) {
          const uint8_t* at = &samples[(c * 80 + 2 * y) * 80 + 2 * x];
          const double mean = (at[0] + at[1] + at[80] + at[81]) / 4.0;
          sum += std::abs(image[(c * 40 + y) * 40 + x] - mean);
        }
      }
      // Caps are trimmed by a part of a pixel, not of a sample; so now and
      // then another segment covers most.
      EXPECT_LE(sum / 1600, 0.5) << name << " " << AllChannels()[c];
    }
  }
}

TEST(Channels, InkIsTheSameBytesAloneAndAmongOthers) {
  for (const uint32_t side : {7U, 28U, 40U, 64U, 131U}) {
    for (const auto& [name, plain] : GeneratedDrawings()) {
      const Drawing drawing = WithTimes(plain);
      const auto alone = Draw(Square(side, {"ink"}), drawing.strokes());
      const auto among =
          Draw(Square(side, {"direction", "ink", "order"}), drawing.strokes());
      ASSERT_TRUE(
          std::equal(alone.begin(), alone.end(), among.begin() + side * side))
          << name << " at " << side;
    }
  }
}

TEST(Channels, LayoutsAreTransposesOfEachOther) {
  const Drawing drawing =
      WithTimes(GeneratedDrawing(DrawingKind::kScribble, 9));
  for (const DType dtype :
       {DType::kUint8, DType::kFloat16, DType::kBFloat16, DType::kFloat32}) {
    ImageSpec spec = Square(33, AllChannels());
    spec.width = 50;
    spec.dtype = dtype;
    const auto planes = Draw(spec, drawing.strokes());
    spec.layout = Layout::kNhwc;
    const auto interleaved = Draw(spec, drawing.strokes());
    const size_t bytes = SizeOf(dtype);
    const size_t channels = AllChannels().size();
    ASSERT_EQ(planes.size(), interleaved.size());
    for (size_t c = 0; c < channels; ++c) {
      for (size_t p = 0; p < 33 * 50; ++p) {
        ASSERT_TRUE(std::equal(&planes[(c * 33 * 50 + p) * bytes],
                               &planes[(c * 33 * 50 + p) * bytes] + bytes,
                               &interleaved[(p * channels + c) * bytes]));
      }
    }
  }
}

TEST(Channels, OfADrawingWithoutTimesAreTheDocumentedOnes) {
  const Drawing drawing = GeneratedDrawing(DrawingKind::kScribble, 4);
  const auto of = [&](const char* name) {
    return Draw(Square(50, {name}), drawing.strokes());
  };
  EXPECT_EQ(of("time"), of("ink"));
  const auto pause = of("pause");
  EXPECT_EQ(*std::max_element(pause.begin(), pause.end()), 55);
  const auto speed = of("speed");
  EXPECT_EQ(*std::max_element(speed.begin(), speed.end()), 55);
}

TEST(Channels, FlippingTwiceChangesNothing) {
  AugmentSpec flip;
  flip.flip_x = 1;
  flip.flip_y = 1;
  for (const auto& [name, plain] : GeneratedDrawings()) {
    const Drawing drawing = WithTimes(plain);
    auto first = raster::Augmenter::Create(flip);
    auto second = raster::Augmenter::Create(flip);
    ASSERT_TRUE(first.ok() && second.ok());
    const StrokesView once = first->Apply(drawing.strokes(), {});
    const StrokesView twice = second->Apply(once, {});
    const ImageSpec spec = Square(28, AllChannels());
    EXPECT_NE(Draw(spec, once), Draw(spec, drawing.strokes())) << name;
    EXPECT_EQ(Draw(spec, twice), Draw(spec, drawing.strokes())) << name;
  }
}

TEST(DrawOptions, BoundsKeepAMoveThatCentringWouldUndo) {
  const Drawing drawing = GeneratedDrawing(DrawingKind::kScribble, 7);
  Drawing moved = drawing;
  for (float& x : moved.x) x += 32.0F;
  // 304 units are 152 pixels: a unit is half a pixel.
  ImageSpec spec = Square(152, {"ink"});
  raster::DrawOptions options;
  options.bounds = raster::BoundsOf(drawing.strokes());
  const auto still = Draw(spec, drawing.strokes());
  EXPECT_EQ(Draw(spec, drawing.strokes(), options), still);
  const auto right = Draw(spec, moved.strokes(), options);
  for (size_t y = 0; y < 152; ++y) {
    for (size_t x = 16; x < 152; ++x) {
      ASSERT_NEAR(right[y * 152 + x], still[y * 152 + x - 16], 8);
    }
  }
}

TEST(DrawOptions, LineWidthFactorIsALineWidthInTheSameFrame) {
  const Drawing drawing = GeneratedDrawing(DrawingKind::kLongLines, 3);
  for (const float factor : {0.25F, 0.5F, 1.0F, 1.5F, 3.0F}) {
    raster::DrawOptions options;
    options.line_width_factor = factor;
    const auto actual = Draw(Square(100, {"ink"}), drawing.strokes(), options);
    // The same frame: 256 + 2 * padding + line width stays 304.
    ImageSpec spec = Square(100, {"ink"});
    spec.line_width = 16.0F * factor;
    spec.padding = 0.5F * (48.0F - spec.line_width);
    const auto expected = Draw(spec, drawing.strokes());
    for (size_t i = 0; i < actual.size(); ++i) {
      ASSERT_NEAR(actual[i], expected[i], 4) << factor << " at " << i;
    }
  }
}

TEST(DrawOptions, AnyFactorIsHarmlessAndLeavesNothingBehind) {
  const Drawing drawing =
      WithTimes(GeneratedDrawing(DrawingKind::kScribble, 2));
  for (const uint32_t side : {28U, 64U}) {
    const ImageSpec spec = Square(side, AllChannels());
    auto used = raster::Rasterizer::Create(spec, 1024, true);
    ASSERT_TRUE(used.ok());
    std::vector<uint8_t> image((*used)->image_bytes());
    for (const float factor :
         {1.0F, 100.0F, 0.01F, 0.3F, -1.0F, 1e30F, std::nanf(""), 0.7F, 1.0F}) {
      raster::DrawOptions options;
      options.line_width_factor = factor;
      (*used)->Draw(drawing.strokes(), options, image.data());
      const auto alone = Draw(spec, drawing.strokes(), options);
      for (size_t i = 0; i < image.size(); ++i) {
        ASSERT_EQ(image[i], alone[i])
            << factor << " at " << side << ", channel " << i / (side * side)
            << " pixel " << i % (side * side);
      }
    }
  }
}

}  // namespace
}  // namespace inkstream

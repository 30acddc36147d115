// Random words and changed points of every instruction set against a plain loop
// over the points.
#include "server/raster/point_kernel.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "server/raster/augmenter.h"
#include "server/raster/draw_kernel.h"
#include "tests/support/generated_drawings.h"

namespace inkstream::raster {
namespace {

class PointKernel : public ::testing::Test {
 protected:
  ~PointKernel() override { UseSimdTarget(""); }
};

// The published known answers of seven rounds.
TEST_F(PointKernel, PhiloxGivesItsKnownAnswers) {
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}),
            (PhiloxBlock{0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48}));
  constexpr uint32_t kAll = 0xFFFFFFFFU;
  EXPECT_EQ(Philox({kAll, kAll, kAll, kAll}, {kAll, kAll}),
            (PhiloxBlock{0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662}));
  EXPECT_EQ(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                   {0xa4093822, 0x299f31d0}),
            (PhiloxBlock{0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a}));
}

TEST_F(PointKernel, WordsAreThoseOfTheBlocksOnEveryTarget) {
  const RandomKey key = {{0x12345678, 0x9ABCDEF0}, 3, 0x1122334455667788};
  constexpr size_t kPoints = 100;
  for (const std::string& target : SimdTargets()) {
    UseSimdTarget(target);
    FirstWords words;
    FillFirstWords(key, true, &words);
    for (uint32_t w = 0; w < 4; ++w) {
      for (uint32_t b = 0; b < kParameterBlocks; ++b) {
        EXPECT_EQ(words.words[16 * w + b],
                  RandomBlock(key, RandomUse::kParameter, b)[w])
            << target;
      }
      for (uint32_t s = 0; s < kFirstStrokes; ++s) {
        EXPECT_EQ(words.words[16 * w + kParameterBlocks + s],
                  RandomBlock(key, RandomUse::kStroke, s)[w])
            << target;
      }
    }
    std::vector<uint32_t> first(kPoints + kPointSlack);
    std::vector<uint32_t> second(kPoints + kPointSlack);
    FillPointWords(key, kPoints, first.data(), second.data());
    for (uint32_t i = 0; i < kPoints; ++i) {
      const PhiloxBlock block =
          RandomBlock(key, RandomUse::kPoint, i / 32 * 16 + i % 16);
      const size_t half = i % 32 < 16 ? 0 : 2;
      ASSERT_EQ(first[i], block[half]) << target << " " << i;
      ASSERT_EQ(second[i], block[half + 1]) << target << " " << i;
    }
  }
}

float SlowJitter(uint32_t word) {
  int sum = 0;
  for (uint32_t field = 0; field < 4; ++field) sum += word >> 6 * field & 63;
  return static_cast<float>(sum - 126);
}

// The same by a loop that says what is meant.
Drawing SlowChange(const PointChange& c, const Drawing& from,
                   const std::vector<uint32_t>& order,
                   const std::vector<uint32_t>& first,
                   const std::vector<uint32_t>& second) {
  Drawing to;
  const StrokesView strokes = from.strokes();
  for (const uint32_t s : order) {
    for (size_t i = strokes.begin(s); i < strokes.end(s); ++i) {
      const bool inner = i > strokes.begin(s) && i + 1 < strokes.end(s);
      if (inner && (first[i] >> 24 | second[i] >> 24 << 8) < c.drop_below) {
        continue;
      }
      float x = from.x[i];
      float y = from.y[i];
      if (c.moves) {
        const float dx = x - c.from_x;
        const float dy = y - c.from_y;
        x = (c.xx * dx + c.xy * dy) + c.to_x;
        y = (c.yx * dx + c.yy * dy) + c.to_y;
      }
      const float unit = c.jitter * (1.0F / 36.945906F);
      if (c.jitter > 0) {
        x += unit * SlowJitter(first[i]);
        y += unit * SlowJitter(second[i]);
      }
      to.x.push_back(x);
      to.y.push_back(y);
      if (!from.t.empty()) to.t.push_back(from.t[i]);
    }
    to.stroke_ends.push_back(static_cast<uint32_t>(to.x.size()));
  }
  return to;
}

TEST_F(PointKernel, PointsChangeAsAPlainLoopChangesThem) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Drawing drawing =
        testing::GeneratedDrawing(testing::DrawingKind::kScribble, seed);
    const size_t points = drawing.x.size();
    if (seed % 2 == 1) {
      for (size_t i = 0; i < points; ++i) {
        drawing.t.push_back(static_cast<float>(10 * i));
      }
    }
    PointChange change;
    change.moves = seed % 3 != 0;
    change.xx = 0.9F;
    change.xy = -0.3F;
    change.yx = 0.25F;
    change.yy = 1.1F;
    change.from_x = 120;
    change.from_y = 90;
    change.to_x = 130;
    change.to_y = 80;
    change.jitter = seed % 4 < 2 ? 0.0F : 1.7F;
    change.drop_below = seed % 5 < 2 ? 0 : 65536 / 10 * (seed % 10);
    std::vector<uint32_t> order;
    for (uint32_t s = 0; s < drawing.stroke_ends.size(); ++s) {
      if ((s + seed) % 4 != 1) order.insert(order.begin(), s);
    }
    std::vector<uint32_t> first(points + kPointSlack);
    std::vector<uint32_t> second(points + kPointSlack);
    FillPointWords({{1, 2}, 0, seed}, points, first.data(), second.data());
    const Drawing expected = SlowChange(change, drawing, order, first, second);
    for (const std::string& target : SimdTargets()) {
      UseSimdTarget(target);
      Drawing found;
      found.x.resize(points + kPointSlack);
      found.y.resize(points + kPointSlack);
      found.t.resize(points + kPointSlack);
      found.stroke_ends.resize(order.size());
      const size_t left = ChangeStrokes(
          change, drawing.strokes(), order, first.data(), second.data(),
          {found.x.data(), found.y.data(),
           drawing.t.empty() ? nullptr : found.t.data()},
          found.stroke_ends.data());
      found.x.resize(left);
      found.y.resize(left);
      found.t.resize(drawing.t.empty() ? 0 : left);
      ASSERT_EQ(found.x, expected.x) << target << " " << seed;
      ASSERT_EQ(found.y, expected.y) << target << " " << seed;
      ASSERT_EQ(found.t, expected.t) << target << " " << seed;
      ASSERT_EQ(found.stroke_ends, expected.stroke_ends) << target;
    }
  }
}

TEST_F(PointKernel, AugmentedStrokesAreTheSameOnEveryTarget) {
  AugmentSpec spec;
  spec.rotation = {-180, 180};
  spec.scale_x = {0.5F, 2};
  spec.shear = {-1, 1};
  spec.stroke_dropout = 0.3F;
  spec.stroke_reorder = 0.5F;
  spec.point_dropout = 0.3F;
  spec.jitter = 3;
  Augmenter augmenter(spec);
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const Drawing drawing =
        testing::GeneratedDrawing(testing::DrawingKind::kScribble, seed);
    const AugmentKey key = {seed, 1, seed * 77, 0, 2};
    std::vector<float> x;
    std::vector<float> y;
    for (const std::string& target : SimdTargets()) {
      UseSimdTarget(target);
      const StrokesView out = augmenter.Apply(drawing.strokes(), key);
      if (x.empty()) {
        x.assign(out.x.begin(), out.x.end());
        y.assign(out.y.begin(), out.y.end());
      }
      ASSERT_EQ(x, std::vector<float>(out.x.begin(), out.x.end())) << target;
      ASSERT_EQ(y, std::vector<float>(out.y.begin(), out.y.end())) << target;
    }
  }
}

}  // namespace
}  // namespace inkstream::raster

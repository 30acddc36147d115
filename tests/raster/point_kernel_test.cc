// Random words and changed points of every instruction set against a plain loop
// over the points.
#include "server/raster/draw/point_kernel.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "server/raster/augment/augmenter.h"
#include "server/raster/draw/draw_kernel.h"
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
  const RandomKey key = {PhiloxRounds({0x12345678, 0x9ABCDEF0}), 3,
                         0x1122334455667788};
  constexpr size_t kPoints = 150;
  for (const std::string& target : SimdTargets()) {
    UseSimdTarget(target);
    DrawingWords words;
    std::vector<uint32_t> of_points(kPoints + kPointSlack);
    FillWords(key, kPoints, &words, of_points.data());
    for (uint32_t b = 0; b < kDrawingBlocks; ++b) {
      const PhiloxBlock block = RandomBlock(key, RandomUse::kDrawing, b);
      EXPECT_EQ(words.ranges[b], block[0]) << target;
      EXPECT_EQ(words.strokes[b], block[1]) << target;
      EXPECT_EQ(words.strokes[kDrawingBlocks + b], block[2]) << target;
      EXPECT_EQ(words.chances[b], block[3]) << target;
    }
    for (uint32_t i = 0; i < kPoints; ++i) {
      ASSERT_EQ(of_points[i], RandomBlock(key, RandomUse::kPoint,
                                          i / 64 * 16 + i % 16)[i % 64 / 16])
          << target << " " << i;
    }
  }
}

// The same by loops that say what is meant.
Drawing SlowSelect(const Selection& how, const Drawing& from) {
  const StrokesView strokes = from.strokes();
  std::vector<size_t> order;
  for (size_t s = 0; s < strokes.strokes(); ++s) {
    if (how.stroke_words == nullptr ||
        (how.stroke_words[s] & 0xFFFFU) >= how.drop_strokes_below) {
      order.push_back(s);
    }
  }
  if (order.empty()) {
    order = {(uint64_t{how.last_word} * strokes.strokes()) >> 32U};
  }
  for (size_t k = 0; how.shuffled && k < order.size(); ++k) {
    const uint64_t left = order.size() - k;
    std::swap(order[k],
              order[k + ((how.stroke_words[k] >> 16U) * left >> 16U)]);
  }
  Drawing to;
  for (const size_t s : order) {
    for (size_t i = strokes.begin(s); i < strokes.end(s); ++i) {
      const bool inner = i > strokes.begin(s) && i + 1 < strokes.end(s);
      if (inner && how.drop_points_below > 0 &&
          how.point_words[i] >> 20U < how.drop_points_below) {
        continue;
      }
      to.x.push_back(from.x[i]);
      to.y.push_back(from.y[i]);
      if (!from.t.empty()) to.t.push_back(from.t[i]);
    }
    to.stroke_ends.push_back(static_cast<uint32_t>(to.x.size()));
  }
  return to;
}

TEST_F(PointKernel, WhatStaysIsWhatAPlainLoopLeaves) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Drawing drawing =
        testing::GeneratedDrawing(testing::DrawingKind::kScribble, seed);
    const size_t points = drawing.x.size();
    if (seed % 2 == 1) {
      for (size_t i = 0; i < points; ++i) {
        drawing.t.push_back(static_cast<float>(10 * i));
      }
    }
    // Strokes of one point and of none, and more than one vector of strokes.
    if (seed % 3 == 1) {
      std::vector<uint32_t> ends;
      for (uint32_t end = 0; end < points; end += 1 + end % 3) {
        ends.push_back(end + 1);
        if (end % 4 == 1) ends.push_back(end + 1);
      }
      ends.back() = static_cast<uint32_t>(points);
      drawing.stroke_ends = ends;
    }
    const size_t strokes = drawing.stroke_ends.size();
    DrawingWords words;
    std::vector<uint32_t> point_words(points + kPointSlack);
    FillWords({PhiloxRounds({1, 2}), 0, seed}, points, &words,
              point_words.data());
    std::vector<uint32_t> stroke_words(strokes + kPointSlack);
    for (size_t s = 0; s < strokes; ++s) {
      stroke_words[s] = point_words[s % points] * 0x9E3779B1U + 77;
    }
    Selection how;
    if (seed % 5 > 0) how.stroke_words = stroke_words.data();
    constexpr uint32_t kBelow[] = {0, 6554, 30000, 65536};
    how.drop_strokes_below = kBelow[seed % 4];
    how.shuffled = seed % 5 > 2;
    how.last_word = words.chances[3];
    how.point_words = point_words.data();
    how.drop_points_below = seed % 7 < 2 ? 0 : seed % 7 * 700;
    const Drawing expected = SlowSelect(how, drawing);
    for (const std::string& target : SimdTargets()) {
      UseSimdTarget(target);
      Drawing found;
      found.x.resize(points + kPointSlack);
      found.y.resize(points + kPointSlack);
      found.t.resize(points + kPointSlack);
      found.stroke_ends.resize(strokes + kPointSlack);
      std::vector<uint32_t> order(strokes + kPointSlack);
      const Left left = SelectStrokes(
          how, drawing.strokes(), {order.data(), found.stroke_ends.data()},
          {found.x.data(), found.y.data(),
           drawing.t.empty() ? nullptr : found.t.data()});
      found.x.resize(left.points);
      found.y.resize(left.points);
      found.t.resize(drawing.t.empty() ? 0 : left.points);
      found.stroke_ends.resize(left.strokes);
      ASSERT_EQ(found.stroke_ends, expected.stroke_ends)
          << target << " " << seed;
      ASSERT_EQ(found.x, expected.x) << target << " " << seed;
      ASSERT_EQ(found.y, expected.y) << target << " " << seed;
      ASSERT_EQ(found.t, expected.t) << target << " " << seed;
    }
  }
}

TEST_F(PointKernel, PointsChangeAsAPlainLoopChangesThem) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const Drawing drawing =
        testing::GeneratedDrawing(testing::DrawingKind::kScribble, seed);
    const size_t points = drawing.x.size();
    PointChange change;
    change.moves = seed % 3 != 0;
    change.xx = 0.9F;
    change.xy = -0.3F;
    change.yx = 0.25F;
    change.yy = 1.1F;
    change.x = 13;
    change.y = -8;
    change.jitter = seed % 4 < 2 ? 0.0F : 1.7F;
    DrawingWords unused;
    std::vector<uint32_t> words(points + kPointSlack);
    FillWords({PhiloxRounds({1, 2}), 0, seed}, points, &unused, words.data());
    std::vector<float> x;
    std::vector<float> y;
    for (size_t i = 0; i < points; ++i) {
      const float from_x = drawing.x[i];
      const float from_y = drawing.y[i];
      x.push_back(from_x);
      y.push_back(from_y);
      if (change.moves) {
        x[i] = (change.xx * from_x + change.xy * from_y) + change.x;
        y[i] = (change.yx * from_x + change.yy * from_y) + change.y;
      }
      if (change.jitter == 0) continue;
      const auto field = [&](uint32_t f) {
        return static_cast<int>(words[i] >> 5 * f & 31U);
      };
      const float unit = change.jitter * (1.0F / 18.466185F);
      const int u = field(0) + field(1);
      const int v = field(2) + field(3);
      x[i] += unit * static_cast<float>(u + v - 62);
      y[i] += unit * static_cast<float>(u - v);
    }
    for (const std::string& target : SimdTargets()) {
      UseSimdTarget(target);
      std::vector<float> found_x(points + kPointSlack);
      std::vector<float> found_y(points + kPointSlack);
      ChangePoints(change, drawing.strokes().x, drawing.strokes().y,
                   words.data(), {found_x.data(), found_y.data()});
      found_x.resize(points);
      found_y.resize(points);
      ASSERT_EQ(found_x, x) << target << " " << seed;
      ASSERT_EQ(found_y, y) << target << " " << seed;
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

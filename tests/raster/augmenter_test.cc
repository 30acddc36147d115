#include "server/raster/augment/augmenter.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::raster {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

// Two strokes, a corner and a bar, in a 100 x 80 box.
struct Sample {
  std::vector<uint32_t> ends = {3, 5};
  std::vector<float> x = {0, 100, 100, 20, 60};
  std::vector<float> y = {0, 0, 80, 40, 40};
  StrokesView view() const { return {ends, x, y, {}}; }
};

Augmenter Make(const AugmentSpec& spec) {
  auto augmenter = Augmenter::Create(spec);
  EXPECT_TRUE(augmenter.ok()) << augmenter.status();
  return *std::move(augmenter);
}

TEST(AugmenterTest, DefaultsChangeNothing) {
  const Sample sample;
  Augmenter augmenter = Make({});
  const StrokesView out = augmenter.Apply(sample.view(), {1, 2, 3, 0, 0});
  EXPECT_EQ(std::vector<float>(out.x.begin(), out.x.end()), sample.x);
  EXPECT_EQ(std::vector<float>(out.y.begin(), out.y.end()), sample.y);
  EXPECT_THAT(out.stroke_ends, ElementsAre(3, 5));
  EXPECT_EQ(augmenter.line_width_factor(), 1.0F);
}

TEST(AugmenterTest, FlippingTwiceIsTheIdentity) {
  const Sample sample;
  AugmentSpec spec;
  spec.flip_x = 1;
  spec.flip_y = 1;
  Augmenter first = Make(spec);
  Augmenter second = Make(spec);
  const StrokesView once = first.Apply(sample.view(), {});
  EXPECT_EQ(once.x[0], 100.0F);
  EXPECT_EQ(once.y[0], 80.0F);
  const StrokesView twice = second.Apply(once, {});
  EXPECT_EQ(std::vector<float>(twice.x.begin(), twice.x.end()), sample.x);
  EXPECT_EQ(std::vector<float>(twice.y.begin(), twice.y.end()), sample.y);
}

TEST(AugmenterTest, AQuarterTurnTurnsAboutTheCentre) {
  const Sample sample;
  AugmentSpec spec;
  spec.rotation = {90, 90};
  Augmenter augmenter = Make(spec);
  const StrokesView out = augmenter.Apply(sample.view(), {});
  // (0, 0) lies (-50, -40) from the centre (50, 40); clockwise on a screen
  // whose y grows downwards takes that to (40, -50).
  EXPECT_THAT(out.x[0], FloatNear(90, 1e-4));
  EXPECT_THAT(out.y[0], FloatNear(-10, 1e-4));
}

TEST(AugmenterTest, SineAgreesWithTheLibraryAtEveryAngle) {
  const Sample sample;
  for (int degrees = -360; degrees <= 360; degrees += 5) {
    AugmentSpec spec;
    spec.rotation = {static_cast<float>(degrees), static_cast<float>(degrees)};
    Augmenter augmenter = Make(spec);
    const StrokesView out = augmenter.Apply(sample.view(), {});
    const double angle = degrees * M_PI / 180;
    EXPECT_NEAR(out.x[0], 50 - 50 * std::cos(angle) + 40 * std::sin(angle),
                1e-4)
        << degrees;
    EXPECT_NEAR(out.y[0], 40 - 50 * std::sin(angle) - 40 * std::cos(angle),
                1e-4)
        << degrees;
  }
}

TEST(AugmenterTest, AReplayIsBitIdenticalAndEveryPartOfTheKeyCounts) {
  const Sample sample;
  AugmentSpec spec;
  spec.rotation = {-30, 30};
  spec.scale = {0.8F, 1.2F};
  spec.jitter = 2;
  spec.point_dropout = 0.2F;
  std::set<std::vector<float>> seen;
  Augmenter augmenter = Make(spec);
  const AugmentKey keys[] = {{0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}, {0, 1, 0, 0, 0},
                             {0, 0, 1, 0, 0}, {0, 0, 0, 1, 0}, {0, 0, 0, 0, 1}};
  for (const AugmentKey& key : keys) {
    const StrokesView out = augmenter.Apply(sample.view(), key);
    const std::vector<float> x(out.x.begin(), out.x.end());
    Augmenter fresh = Make(spec);
    const StrokesView again = fresh.Apply(sample.view(), key);
    EXPECT_EQ(x, std::vector<float>(again.x.begin(), again.x.end()));
    EXPECT_TRUE(seen.insert(x).second) << "two keys gave the same drawing";
  }
}

TEST(AugmenterTest, SwitchingJitterOnLeavesTheGeometryAsItWas) {
  const Sample sample;
  AugmentSpec spec;
  spec.rotation = {-30, 30};
  Augmenter plain = Make(spec);
  spec.jitter = 0.01F;
  Augmenter jittered = Make(spec);
  const StrokesView a = plain.Apply(sample.view(), {7, 1, 2, 0, 0});
  const StrokesView b = jittered.Apply(sample.view(), {7, 1, 2, 0, 0});
  EXPECT_THAT(b.x, Pointwise(FloatNear(0.1), a.x));
  EXPECT_NE(std::vector<float>(a.x.begin(), a.x.end()),
            std::vector<float>(b.x.begin(), b.x.end()));
}

TEST(AugmenterTest, JitterHasTheMomentsAskedForAndNoDirection) {
  constexpr size_t kPoints = 100'000;
  std::vector<uint32_t> ends = {kPoints};
  std::vector<float> x(kPoints, 128), y(kPoints, 128);
  AugmentSpec spec;
  spec.jitter = 3;
  Augmenter augmenter = Make(spec);
  const StrokesView out = augmenter.Apply({ends, x, y, {}}, {5, 0, 9, 0, 0});
  double sum_x = 0, sum_y = 0, xx = 0, yy = 0, xy = 0, x4 = 0, next = 0;
  for (size_t i = 0; i < kPoints; ++i) {
    const double dx = (out.x[i] - 128) / 3;
    const double dy = (out.y[i] - 128) / 3;
    sum_x += dx;
    sum_y += dy;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
    x4 += dx * dx * dx * dx;
    if (i > 0) next += dx * (out.x[i - 1] - 128) / 3;
    ASSERT_LT(std::abs(dx), 3.4);
  }
  // Standard errors are 0.003 to 0.01.
  EXPECT_NEAR(sum_x / kPoints, 0, 0.02);
  EXPECT_NEAR(sum_y / kPoints, 0, 0.02);
  EXPECT_NEAR(xx / kPoints, 1, 0.02);
  EXPECT_NEAR(yy / kPoints, 1, 0.02);
  EXPECT_NEAR(xy / kPoints, 0, 0.02);
  EXPECT_NEAR(x4 / kPoints, 2.7, 0.06);
  EXPECT_NEAR(next / kPoints, 0, 0.02);
}

TEST(AugmenterTest, StrokesAndPointsGoAsOftenAsAskedFor) {
  constexpr uint32_t kStrokes = 20;
  constexpr uint32_t kLength = 50;
  std::vector<uint32_t> ends;
  std::vector<float> x(kStrokes * kLength), y(kStrokes * kLength);
  for (uint32_t s = 1; s <= kStrokes; ++s) ends.push_back(s * kLength);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  // Less than the 12 bits of a point can tell apart, too.
  for (const float p : {0.0001F, 0.1F, 0.37F}) {
    AugmentSpec spec;
    spec.point_dropout = p;
    Augmenter points = Make(spec);
    spec = {};
    spec.stroke_dropout = p;
    Augmenter strokes = Make(spec);
    double points_gone = 0, strokes_gone = 0;
    constexpr uint64_t kDrawings = 4000;
    for (uint64_t index = 0; index < kDrawings; ++index) {
      const StrokesView view = {ends, x, y, {}};
      points_gone +=
          x.size() - points.Apply(view, {1, 0, index, 0, 0}).points();
      strokes_gone +=
          kStrokes - strokes.Apply(view, {1, 0, index, 0, 0}).strokes();
    }
    const double inner = kDrawings * kStrokes * (kLength - 2.0);
    const double all = kDrawings * kStrokes;
    // Five standard errors; points of a drawing share what 12 bits leave.
    EXPECT_NEAR(points_gone / inner, p, 5 * std::sqrt(p / inner) + 2e-5);
    EXPECT_NEAR(strokes_gone / all, p, 5 * std::sqrt(p / all));
  }
}

TEST(AugmenterTest, EveryOrderOfStrokesComesAsOften) {
  std::vector<uint32_t> ends = {1, 2, 3};
  std::vector<float> x = {0, 1, 2}, y = {0, 0, 0};
  AugmentSpec spec;
  spec.stroke_reorder = 1;
  Augmenter augmenter = Make(spec);
  std::map<std::vector<float>, int> seen;
  for (uint64_t index = 0; index < 6000; ++index) {
    const StrokesView out =
        augmenter.Apply({ends, x, y, {}}, {2, 0, index, 0, 0});
    ++seen[{out.x.begin(), out.x.end()}];
  }
  ASSERT_EQ(seen.size(), 6);
  for (const auto& [order, count] : seen) EXPECT_NEAR(count, 1000, 150);
}

TEST(AugmenterTest, MoreStrokesThanAVectorHasAreShuffledAndDroppedToo) {
  constexpr uint32_t kStrokes = 200;
  std::vector<uint32_t> ends;
  std::vector<float> x, y(kStrokes);
  for (uint32_t s = 0; s < kStrokes; ++s) {
    ends.push_back(s + 1);
    x.push_back(static_cast<float>(s));
  }
  AugmentSpec spec;
  spec.stroke_reorder = 1;
  spec.stroke_dropout = 0.25F;
  Augmenter augmenter = Make(spec);
  std::set<float> ever, last;
  for (uint64_t index = 0; index < 400; ++index) {
    const StrokesView out =
        augmenter.Apply({ends, x, y, {}}, {2, 0, index, 0, 0});
    const std::set<float> left(out.x.begin(), out.x.end());
    ASSERT_EQ(left.size(), out.x.size()) << "a stroke came twice";
    EXPECT_NEAR(static_cast<double>(left.size()), 150, 40);
    ever.insert(left.begin(), left.end());
    last.insert(out.x.back());
  }
  EXPECT_EQ(ever.size(), kStrokes);
  EXPECT_GT(last.size(), 150) << "any may come last";
}

TEST(AugmenterTest, OneStrokeAlwaysStays) {
  const Sample sample;
  AugmentSpec spec;
  spec.stroke_dropout = 1;
  Augmenter augmenter = Make(spec);
  std::set<size_t> lengths;
  for (uint64_t index = 0; index < 50; ++index) {
    const StrokesView out = augmenter.Apply(sample.view(), {0, 0, index, 0, 0});
    ASSERT_EQ(out.strokes(), 1);
    lengths.insert(out.points());
  }
  EXPECT_THAT(lengths, ElementsAre(2, 3)) << "either stroke may be the one";
}

TEST(AugmenterTest, ReorderingKeepsEveryStrokeWhole) {
  const Sample sample;
  AugmentSpec spec;
  spec.stroke_reorder = 1;
  Augmenter augmenter = Make(spec);
  std::set<size_t> first_lengths;
  for (uint64_t index = 0; index < 50; ++index) {
    const StrokesView out = augmenter.Apply(sample.view(), {0, 0, index, 0, 0});
    ASSERT_EQ(out.strokes(), 2);
    ASSERT_EQ(out.points(), 5);
    first_lengths.insert(out.end(0));
  }
  EXPECT_THAT(first_lengths, ElementsAre(2, 3));
}

TEST(AugmenterTest, PointDropoutKeepsTheEndsOfAStroke) {
  const Sample sample;
  AugmentSpec spec;
  spec.point_dropout = 1;
  Augmenter augmenter = Make(spec);
  const StrokesView out = augmenter.Apply(sample.view(), {});
  EXPECT_THAT(out.stroke_ends, ElementsAre(2, 4));
  EXPECT_THAT(out.x, ElementsAre(0, 100, 20, 60));
}

TEST(AugmenterTest, RangesAreUniformWithinTheirBounds) {
  const Sample sample;
  AugmentSpec spec;
  spec.line_width = {0.5F, 1.5F};
  Augmenter augmenter = Make(spec);
  double sum = 0;
  for (uint64_t index = 0; index < 4000; ++index) {
    augmenter.Apply(sample.view(), {0, 0, index, 0, 0});
    ASSERT_GE(augmenter.line_width_factor(), 0.5F);
    ASSERT_LT(augmenter.line_width_factor(), 1.5F);
    sum += augmenter.line_width_factor();
  }
  EXPECT_NEAR(sum / 4000, 1.0, 0.02);
}

TEST(AugmenterTest, GoldenValueIsTheSameOnEveryMachine) {
  const Sample sample;
  AugmentSpec spec;
  spec.rotation = {-30, 30};
  spec.scale = {0.8F, 1.2F};
  spec.shear = {-0.2F, 0.2F};
  spec.translate_x = {-8, 8};
  spec.jitter = 1;
  Augmenter augmenter = Make(spec);
  const StrokesView out = augmenter.Apply(sample.view(), {42, 3, 17, 0, 1});
  EXPECT_EQ(out.x[0], -0x1.9d0302p+3F);
  EXPECT_EQ(out.y[4], 0x1.1718e4p+5F);
}

TEST(AugmenterTest, BadSpecsNameFieldValueAndLimit) {
  AugmentSpec spec;
  spec.scale = {0, 1};
  EXPECT_THAT(std::string(Augmenter::Create(spec).status().message()),
              HasSubstr("augment.scale is [0, 1]"));
  spec = {};
  spec.rotation = {NAN, 0};
  EXPECT_FALSE(Augmenter::Create(spec).ok());
  spec = {};
  spec.flip_x = 1.5F;
  EXPECT_THAT(std::string(Augmenter::Create(spec).status().message()),
              HasSubstr("augment.flip_x is 1.5; it must be a probability"));
}

}  // namespace
}  // namespace inkstream::raster

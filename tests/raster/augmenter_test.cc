#include "server/raster/augmenter.h"

#include <algorithm>
#include <cmath>
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

TEST(AugmenterTest, JitterHasTheMeanAndDeviationAskedFor) {
  std::vector<uint32_t> ends = {20000};
  std::vector<float> x(20000, 128), y(20000, 128);
  AugmentSpec spec;
  spec.jitter = 3;
  Augmenter augmenter = Make(spec);
  const StrokesView out = augmenter.Apply({ends, x, y, {}}, {5, 0, 9, 0, 0});
  double sum = 0, squares = 0, cross = 0;
  for (size_t i = 0; i < out.points(); ++i) {
    sum += out.x[i] - 128;
    squares += (out.x[i] - 128) * (out.x[i] - 128);
    cross += (out.x[i] - 128) * (out.y[i] - 128);
  }
  EXPECT_NEAR(sum / 20000, 0, 0.1);
  EXPECT_NEAR(std::sqrt(squares / 20000), 3, 0.1);
  EXPECT_NEAR(cross / 20000, 0, 0.3);
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
  EXPECT_EQ(out.x[0], -0x1.57136p-2F);
  EXPECT_EQ(out.y[4], 0x1.16e2d6p+5F);
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

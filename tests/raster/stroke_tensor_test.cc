#include "server/raster/tensor/stroke_tensor.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::raster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Sample {
  std::vector<uint32_t> ends = {2, 4};
  std::vector<float> x = {10, 20, 5, 5};
  std::vector<float> y = {0, 30, 5, 15};
  StrokesView view() const { return {ends, x, y, {}}; }
};

std::vector<float> Padded(StrokeTensor& tensor, const StrokesView& strokes) {
  EXPECT_TRUE(tensor.Load(strokes).ok());
  std::vector<float> out(tensor.padded_rows() * tensor.columns(), NAN);
  tensor.WritePadded(reinterpret_cast<uint8_t*>(out.data()));
  return out;
}

StrokesSpec Spec(StrokeFormat format, uint32_t max_len, bool start) {
  StrokesSpec spec;
  spec.format = format;
  spec.max_len = max_len;
  spec.start_token = start;
  return spec;
}

TEST(StrokeTensorTest, Stroke3HoldsOffsetsAndLifts) {
  auto tensor =
      *StrokeTensor::Create(Spec(StrokeFormat::kStroke3, 5, false), 0);
  EXPECT_THAT(Padded(tensor, Sample().view()),
              ElementsAre(10, 0, 0, 10, 30, 1, -15, -25, 0, 0, 10, 1, 0, 0, 0));
}

TEST(StrokeTensorTest, Stroke5StartsWithATokenAndEndsInEndRows) {
  auto tensor = *StrokeTensor::Create(Spec(StrokeFormat::kStroke5, 5, true), 0);
  EXPECT_THAT(Padded(tensor, Sample().view()),
              ElementsAre(0, 0, 1, 0, 0,      //
                          10, 0, 1, 0, 0,     //
                          10, 30, 0, 1, 0,    //
                          -15, -25, 1, 0, 0,  //
                          0, 10, 0, 1, 0,     //
                          0, 0, 0, 0, 1));
}

TEST(StrokeTensorTest, OffsetsAddUpToThePoints) {
  auto deltas =
      *StrokeTensor::Create(Spec(StrokeFormat::kStroke3, 4, false), 0);
  auto points = *StrokeTensor::Create(Spec(StrokeFormat::kPoints, 4, false), 0);
  const std::vector<float> d = Padded(deltas, Sample().view());
  const std::vector<float> p = Padded(points, Sample().view());
  float x = 0, y = 0;
  for (int i = 0; i < 4; ++i) {
    x += d[3 * i];
    y += d[3 * i + 1];
    EXPECT_EQ(x, p[3 * i]);
    EXPECT_EQ(y, p[3 * i + 1]);
    EXPECT_EQ(d[3 * i + 2], p[3 * i + 2]);
  }
}

TEST(StrokeTensorTest, LengthIsOfPointsAndTruncationCutsTheTail) {
  auto tensor = *StrokeTensor::Create(Spec(StrokeFormat::kPoints, 3, true), 0);
  const auto extent = tensor.Load(Sample().view());
  ASSERT_TRUE(extent.ok());
  EXPECT_EQ(extent->length, 3);
  EXPECT_EQ(extent->rows, 4);
  EXPECT_FALSE(extent->dropped);
  std::vector<float> out(12, NAN);
  tensor.WriteRagged(reinterpret_cast<uint8_t*>(out.data()));
  EXPECT_THAT(out, ElementsAre(0, 0, 0, 10, 0, 0, 20, 30, 1, 5, 5, 0));
}

TEST(StrokeTensorTest, TooLongCanDropOrFail) {
  StrokesSpec spec = Spec(StrokeFormat::kPoints, 3, false);
  spec.too_long = TooLong::kDrop;
  auto dropping = *StrokeTensor::Create(spec, 0);
  const auto extent = dropping.Load(Sample().view());
  ASSERT_TRUE(extent.ok());
  EXPECT_TRUE(extent->dropped);
  EXPECT_EQ(extent->length, 0);
  spec.too_long = TooLong::kError;
  auto failing = *StrokeTensor::Create(spec, 0);
  const auto status = failing.Load(Sample().view()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("has 4 points; strokes.max_len is 3"));
}

TEST(StrokeTensorTest, ScalesDivide) {
  StrokesSpec spec = Spec(StrokeFormat::kPoints, 1, false);
  spec.scale = StrokeScale::kUnit;
  auto unit = *StrokeTensor::Create(spec, 0);
  EXPECT_FLOAT_EQ(Padded(unit, Sample().view())[0], 10.0F / 255);
  spec.scale = StrokeScale::kDataset;
  auto dataset = *StrokeTensor::Create(spec, 40);
  EXPECT_FLOAT_EQ(Padded(dataset, Sample().view())[0], 0.25F);
  EXPECT_THAT(std::string(StrokeTensor::Create(spec, 0).status().message()),
              HasSubstr("strokes.scale is \"dataset\""));
  spec.scale_value = 5;
  auto number = *StrokeTensor::Create(spec, 0);
  EXPECT_FLOAT_EQ(Padded(number, Sample().view())[0], 2);
}

TEST(StrokeTensorTest, ResamplingSpacesPointsEvenlyAndKeepsTheEnds) {
  const std::vector<uint32_t> ends = {2, 3};
  const std::vector<float> x = {0, 10, 50}, y = {0, 0, 50};
  StrokesSpec spec = Spec(StrokeFormat::kPoints, 8, false);
  spec.resample = 4;
  auto tensor = *StrokeTensor::Create(spec, 0);
  const auto extent = tensor.Load({ends, x, y, {}});
  ASSERT_TRUE(extent.ok());
  EXPECT_EQ(extent->length, 5);
  const std::vector<float> out = Padded(tensor, {ends, x, y, {}});
  EXPECT_THAT(std::vector<float>(out.begin(), out.begin() + 15),
              ElementsAre(0, 0, 0, 4, 0, 0, 8, 0, 0, 10, 0, 1, 50, 50, 1));
}

TEST(StrokeTensorTest, PrefixKeepsTheFirstShareOfThePoints) {
  StrokesSpec spec = Spec(StrokeFormat::kPoints, 8, false);
  spec.prefix = 0.3F;
  auto tensor = *StrokeTensor::Create(spec, 0);
  EXPECT_EQ(tensor.Load(Sample().view())->length, 2);
}

// Widens a binary16 by its definition.
float Widen(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 0)
    return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

TEST(StrokeTensorTest, Float16IsTheNearestValue) {
  StrokesSpec spec = Spec(StrokeFormat::kPoints, 1, false);
  spec.dtype = DType::kFloat16;
  for (const double scale : {1.0, 3.0, 255.0, 7000.0, 900000.0}) {
    spec.scale_value = scale;
    auto tensor = *StrokeTensor::Create(spec, 0);
    for (float value = 0; value < 256; ++value) {
      const std::vector<uint32_t> ends = {1};
      const std::vector<float> x = {value}, y = {-value};
      ASSERT_TRUE(tensor.Load({ends, x, y, {}}).ok());
      uint16_t out[3];
      tensor.WritePadded(reinterpret_cast<uint8_t*>(out));
      const float exact = value * (1.0F / static_cast<float>(scale));
      const float step = std::fabs(Widen(out[0] + 1) - Widen(out[0]));
      EXPECT_LE(std::fabs(Widen(out[0]) - exact), step / 2) << exact;
      EXPECT_EQ(Widen(out[1]), -Widen(out[0]));
      EXPECT_EQ(Widen(out[2]), 1.0F);
    }
  }
}

struct TimedSample : Sample {
  std::vector<float> t = {0, 250, 1000, 1016};
  StrokesView view() const { return {ends, x, y, t}; }
};

StrokesSpec Timed(StrokesSpec spec) {
  spec.times = true;
  return spec;
}

TEST(StrokeTensorTest, TimesAreSecondsInAColumnBehindTheFormats) {
  auto three =
      *StrokeTensor::Create(Timed(Spec(StrokeFormat::kStroke3, 5, true)), 0);
  EXPECT_THAT(Padded(three, TimedSample().view()),
              ElementsAre(0, 0, 0, 0,             //
                          10, 0, 0, 0,            //
                          10, 30, 1, 0.25F,       //
                          -15, -25, 0, 1,         //
                          0, 10, 1, 1016 / 1e3F,  //
                          0, 0, 0, 0));
  auto five =
      *StrokeTensor::Create(Timed(Spec(StrokeFormat::kStroke5, 5, true)), 0);
  EXPECT_THAT(Padded(five, TimedSample().view()),
              ElementsAre(0, 0, 1, 0, 0, 0,             //
                          10, 0, 1, 0, 0, 0,            //
                          10, 30, 0, 1, 0, 0.25F,       //
                          -15, -25, 1, 0, 0, 1,         //
                          0, 10, 0, 1, 0, 1016 / 1e3F,  //
                          0, 0, 0, 0, 1, 0));
  StrokesSpec spec = Timed(Spec(StrokeFormat::kPoints, 2, false));
  spec.scale = StrokeScale::kUnit;
  auto points = *StrokeTensor::Create(spec, 0);
  EXPECT_EQ(points.columns(), 4);
  EXPECT_EQ(Padded(points, TimedSample().view())[7], 0.25F);  // not scaled
}

TEST(StrokeTensorTest, ResampledPointsHaveTheTimesBetween) {
  const std::vector<uint32_t> ends = {2, 3};
  const std::vector<float> x = {0, 10, 50}, y = {0, 0, 50};
  const std::vector<float> t = {1000, 3000, 4000};
  StrokesSpec spec = Timed(Spec(StrokeFormat::kPoints, 5, false));
  spec.resample = 5;
  auto tensor = *StrokeTensor::Create(spec, 0);
  EXPECT_THAT(Padded(tensor, {ends, x, y, t}), ElementsAre(0, 0, 0, 1,    //
                                                           5, 0, 0, 2,    //
                                                           10, 0, 1, 3,   //
                                                           50, 50, 1, 4,  //
                                                           0, 0, 0, 0));
}

TEST(StrokeTensorTest, ADrawingWithoutTimesHasZeros) {
  auto tensor =
      *StrokeTensor::Create(Timed(Spec(StrokeFormat::kPoints, 4, false)), 0);
  Padded(tensor, TimedSample().view());
  const std::vector<float> out = Padded(tensor, Sample().view());
  for (int row = 0; row < 4; ++row) EXPECT_EQ(out[4 * row + 3], 0);
}

TEST(StrokeTensorTest, BadSpecsNameFieldValueAndLimit) {
  StrokesSpec spec;
  spec.max_len = 0;
  EXPECT_THAT(std::string(StrokeTensor::Create(spec, 0).status().message()),
              HasSubstr("strokes.max_len is 0; the limit is 1 to 4096 points"));
  spec.max_len = 5000;
  EXPECT_FALSE(StrokeTensor::Create(spec, 0).ok());
  spec = {};
  spec.dtype = DType::kUint8;
  EXPECT_THAT(std::string(StrokeTensor::Create(spec, 0).status().message()),
              HasSubstr("offered are float32 and float16"));
  spec = {};
  spec.prefix = NAN;
  EXPECT_FALSE(StrokeTensor::Create(spec, 0).ok());
}

}  // namespace
}  // namespace inkstream::raster

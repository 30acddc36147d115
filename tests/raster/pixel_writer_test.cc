#include "server/raster/tensor/pixel_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "server/raster/draw/float_bits.h"

namespace inkstream::raster {
namespace {

// What the bits of a binary16 mean, by its definition.
double DecodedFloat16(uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 10U & 31U);
  const double fraction = bits & 1023U;
  const double sign = (bits & 0x8000U) != 0 ? -1.0 : 1.0;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024.0 + fraction, exponent - 25);
}

double DecodedBFloat16(uint32_t bits) {
  const uint32_t single = bits << 16U;
  float value;
  std::memcpy(&value, &single, sizeof(value));
  return value;
}

// The nearest of all finite numbers of a type, of two the one with even bits.
template <class Decode>
uint32_t Nearest(double value, uint32_t infinity, Decode decode) {
  uint32_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (uint32_t magnitude = 0; magnitude < infinity; ++magnitude) {
    const double off = std::abs(decode(magnitude) - std::abs(value));
    if (off < least || (off == least && magnitude % 2 == 0)) {
      least = off;
      best = magnitude;
    }
  }
  return best | (std::signbit(value) ? 0x8000U : 0U);
}

template <class Element>
std::vector<Element> Written(const ImageSpec& spec,
                             const std::vector<uint8_t>& planes) {
  const PixelWriter writer(spec);
  std::vector<Element> out(writer.image_bytes() / sizeof(Element));
  writer.Write(planes.data(), reinterpret_cast<uint8_t*>(out.data()));
  return out;
}

ImageSpec AllPixels(DType dtype, float mean, float std) {
  ImageSpec spec;
  spec.height = 8;
  spec.width = 32;
  spec.dtype = dtype;
  spec.mean = {mean};
  spec.std = {std};
  return spec;
}

std::vector<uint8_t> EveryPixelValue() {
  std::vector<uint8_t> pixels;
  for (int v = 0; v < 256; ++v) pixels.push_back(static_cast<uint8_t>(v));
  return pixels;
}

class PixelFormula : public ::testing::TestWithParam<std::pair<float, float>> {
};

TEST_P(PixelFormula, IsExactInEveryType) {
  const auto [mean, std] = GetParam();
  const auto pixels = EveryPixelValue();
  const auto singles =
      Written<float>(AllPixels(DType::kFloat32, mean, std), pixels);
  const auto halves =
      Written<uint16_t>(AllPixels(DType::kFloat16, mean, std), pixels);
  const auto brains =
      Written<uint16_t>(AllPixels(DType::kBFloat16, mean, std), pixels);
  for (int v = 0; v < 256; ++v) {
    // Rounding a double quotient once to float32 is IEEE division.
    const auto share = static_cast<float>(v / 255.0);
    const auto centred = static_cast<float>(double{share} - mean);
    const auto expected = static_cast<float>(double{centred} / std);
    ASSERT_EQ(singles[v], expected) << v;
    ASSERT_EQ(halves[v], Nearest(expected, 0x7C00, DecodedFloat16)) << v;
    ASSERT_EQ(brains[v], Nearest(expected, 0x7F80, DecodedBFloat16)) << v;
  }
}

INSTANTIATE_TEST_SUITE_P(MeansAndStds, PixelFormula,
                         ::testing::Values(std::pair{0.0F, 1.0F},
                                           std::pair{0.1307F, 0.3081F},
                                           std::pair{0.5F, 0.5F},
                                           std::pair{0.2F, 9e3F},
                                           std::pair{-3.0F, 1e-3F}));

TEST(PixelWriter, OneMeanAndStdHoldForAllChannels) {
  ImageSpec spec = AllPixels(DType::kFloat32, 0.5F, 0.25F);
  spec.height = 4;
  spec.channels = {"ink", "order"};
  const auto one = Written<float>(spec, EveryPixelValue());
  spec.mean = {0.5F, 0.5F};
  spec.std = {0.25F, 0.25F};
  EXPECT_EQ(Written<float>(spec, EveryPixelValue()), one);
  spec.mean = {0.5F, 0.0F};
  const auto two = Written<float>(spec, EveryPixelValue());
  EXPECT_EQ(two[127], one[127]);
  EXPECT_EQ(two[128], (128.0F / 255.0F) / 0.25F);
}

TEST(PixelWriter, WritesExactlyItsBytesAnywhere) {
  for (const DType dtype : {DType::kUint8, DType::kFloat16, DType::kFloat32}) {
    for (const Layout layout : {Layout::kNchw, Layout::kNhwc}) {
      ImageSpec spec;
      spec.height = 3;
      spec.width = 7;
      spec.dtype = dtype;
      spec.layout = layout;
      spec.channels = {"ink", "order", "direction"};
      const PixelWriter writer(spec);
      ASSERT_EQ(writer.image_bytes(), 3 * 3 * 7 * SizeOf(dtype));
      std::vector<uint8_t> memory(writer.image_bytes() + 129, 77);
      writer.Write(std::vector<uint8_t>(63, 5).data(), memory.data() + 65);
      EXPECT_EQ(memory[64], 77);
      EXPECT_EQ(memory[65 + writer.image_bytes()], 77);
    }
  }
}

}  // namespace
}  // namespace inkstream::raster

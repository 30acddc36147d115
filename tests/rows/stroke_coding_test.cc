#include "server/rows/stroke_coding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace inkstream::rows {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Encoded(const Drawing& drawing) {
  Bytes bytes(MostStrokesBytes(drawing.strokes()));
  bytes.resize(EncodeStrokes(drawing.strokes(), bytes.data()) - bytes.data());
  return bytes;
}

Drawing RandomDrawing(std::mt19937_64* random, bool whole, bool times) {
  Drawing drawing;
  for (uint64_t s = (*random)() % 5; s > 0; --s) {
    for (uint64_t p = (*random)() % 300; p > 0; --p) {
      const auto value = [&] {
        const auto number = static_cast<float>((*random)() % 256);
        return whole ? number : number + 0.25F;
      };
      drawing.x.push_back(value());
      drawing.y.push_back(value());
      if (times) drawing.t.push_back(value());
    }
    drawing.stroke_ends.push_back(static_cast<uint32_t>(drawing.x.size()));
  }
  return drawing;
}

void ExpectSame(const StrokesView& got, const Drawing& drawing) {
  EXPECT_EQ(got.stroke_ends, drawing.stroke_ends);
  EXPECT_EQ(got.x, drawing.x);
  EXPECT_EQ(got.y, drawing.y);
  EXPECT_EQ(got.t, drawing.t);
}

TEST(StrokeCoding, DrawingsComeBackBitForBit) {
  std::mt19937_64 random(4);
  StrokesDecoder decoder;
  for (uint64_t i = 0; i < 400; ++i) {
    const Drawing drawing = RandomDrawing(&random, i % 2 == 0, i % 3 == 0);
    const Bytes bytes = Encoded(drawing);
    const auto strokes = decoder.Decode(bytes);
    ASSERT_TRUE(strokes.ok()) << strokes.status();
    ExpectSame(*strokes, drawing);
    if (i % 6 == 4) {
      EXPECT_LE(bytes.size(), 12 + 2 * drawing.x.size());
    }
  }
}

TEST(StrokeCoding, BytesAreEncodedAsTheFloatsThatTheyAre) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 200; ++i) {
    const Drawing drawing = RandomDrawing(&random, true, false);
    const std::vector<uint8_t> x(drawing.x.begin(), drawing.x.end());
    const std::vector<uint8_t> y(drawing.y.begin(), drawing.y.end());
    Bytes bytes(MostStrokesBytes(drawing.stroke_ends));
    bytes.resize(EncodeStrokes(drawing.stroke_ends, x, y, bytes.data()) -
                 bytes.data());
    EXPECT_EQ(bytes, Encoded(drawing)) << i;
  }
}

TEST(StrokeCoding, NumbersThatAreNoBytesComeBackBitForBit) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  StrokesDecoder decoder;
  for (const float value : {-0.0F, 255.5F, 256.0F, -1.0F, 1e30F, kInfinity,
                            -kInfinity, std::nanf("")}) {
    Drawing drawing;
    drawing.x = {1, value, 3};
    drawing.y = {0, 255, 7};
    drawing.stroke_ends = {3};
    const Bytes bytes = Encoded(drawing);
    const auto strokes = decoder.Decode(bytes);
    ASSERT_TRUE(strokes.ok()) << strokes.status();
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(strokes->x[1]));
    } else {
      EXPECT_EQ(strokes->x[1], value);
      EXPECT_EQ(std::signbit(strokes->x[1]), std::signbit(value));
    }
  }
}

TEST(StrokeCoding, WhatIsNotOneDrawingIsRefused) {
  Drawing drawing;
  drawing.x = drawing.y = {1, 2, 300};
  drawing.stroke_ends = {1, 3};
  Bytes bytes = Encoded(drawing);
  StrokesDecoder decoder;
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decoder.Decode({bytes.data(), size}).status().code(),
              absl::StatusCode::kDataLoss)
        << size;
  }
  bytes.push_back(0);
  EXPECT_FALSE(decoder.Decode(bytes).ok());
  // A few bytes cannot claim many points or strokes.
  EXPECT_FALSE(decoder.Decode(Bytes{0xF9, 0xFF, 0xFF, 0xFF, 0x7F, 1}).ok());
  EXPECT_FALSE(decoder.Decode(Bytes{5, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}).ok());
  // Nor can their sum begin anew.
  EXPECT_FALSE(decoder
                   .Decode(Bytes{9, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                 0xFF, 0xFF, 1, 0, 0})
                   .ok());
}

}  // namespace
}  // namespace inkstream::rows

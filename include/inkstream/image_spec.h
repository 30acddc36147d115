// What an image tensor looks like.
//
// Channels. Ground is 0 and strokes are drawn one after another: where a stroke
// covers a share c of a pixel, the channel becomes c * value + (1 - c) *
// before. Where segments of one stroke meet, the one that covers more gives the
// value, the later one where they cover the same. Values are 55..255, so that
// ink never looks like ground; [a] is a rounded to the nearest integer:
//   ink        255
//   order      255 - 13 * min(s, 10) for stroke s = 0, 1, ...
//   time       55 + [200 * (1 - (t - t0) / (t1 - t0))]: t the middle of the
//              segment's times, t0 and t1 the drawing's first and last; 255
//              where they are equal
//   pause      55 + [200 * p / (p + 500)]: p the milliseconds from the end of
//              the stroke before to the start of this one; 0 for the first
//   speed      55 + [200 * v / (v + 0.5)]: v the segment's units of the canvas
//              a millisecond; v of a dot is 0, of a jump without time infinite
//   direction  55 + [200 * a / 360]: a the segment's heading in degrees,
//              [0, 360), 0 to the right, 90 downwards; of a segment without
//              length, that before it in its stroke, else 0
//   constant   255 in every pixel, ground too
// time, pause and speed need a dataset with times; there, a drawing without has
// time 255, pause 55, speed 55. Augmentation comes first: speed and direction
// are of the strokes as drawn, order and pause in their new order (p >= 0).
// The short form 1 stands for [ink], 3 for [order, speed, time].
//
// Floats. An element is (pixel / 255 - mean) / std, in IEEE float32 with each
// of the three operations rounded to nearest even, as NumPy and torch compute
// it; float16 and bfloat16 are that float32 rounded to nearest even once more.
//
// Thread safety: plain value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/tensor.h"

namespace inkstream {

// Numbered as in inkstream.v1; never renumber.
enum class Layout : uint8_t { kNchw = 0, kNhwc = 1 };
enum class Fit : uint8_t { kCanvas = 0, kBox = 1, kStretch = 2 };
enum class Quality : uint8_t { kFast = 0, kExact = 1 };

// The defaults are the recipe of Google's published bitmaps: ImageSpec{28, 28}
// is what they look like.
struct ImageSpec {
  uint32_t height = 28;  // pixels, 1..limit (1024 by default)
  uint32_t width = 28;   // pixels
  // uint8: 0 ground, 255 ink; float16, bfloat16, float32: 0..1
  DType dtype = DType::kUint8;
  Layout layout = Layout::kNchw;
  std::vector<std::string> channels = {"ink"};
  Fit fit = Fit::kCanvas;
  float line_width = 16.0F;  // units of the 256 canvas, > 0
  float padding = 16.0F;     // units of the 256 canvas, >= 0, on each side
  // Floats only: empty (0 and 1), one for all channels, or one a channel.
  std::vector<float> mean;
  std::vector<float> std;  // > 0
  Quality quality = Quality::kFast;

  bool operator==(const ImageSpec&) const = default;
};

}  // namespace inkstream

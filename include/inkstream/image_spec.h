// What an image tensor looks like.
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
  uint32_t height = 28;         // pixels, 1..limit (1024 by default)
  uint32_t width = 28;          // pixels
  DType dtype = DType::kUint8;  // uint8: 0 ground, 255 ink; floats: 0..1
  Layout layout = Layout::kNchw;
  std::vector<std::string> channels = {"ink"};
  Fit fit = Fit::kCanvas;
  float line_width = 16.0F;  // units of the 256 canvas, > 0
  float padding = 16.0F;     // units of the 256 canvas, >= 0, on each side
  std::vector<float> mean;   // one a channel or empty; floats only
  std::vector<float> std;    // likewise, > 0
  Quality quality = Quality::kFast;

  bool operator==(const ImageSpec&) const = default;
};

}  // namespace inkstream

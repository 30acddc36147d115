// What a stroke tensor looks like.
//
// Thread safety: plain value.
#pragma once

#include <cstdint>
#include <optional>

#include "inkstream/tensor.h"

namespace inkstream {

// Numbered as in inkstream.v1; never renumber.
enum class StrokeFormat : uint8_t {
  kStroke3 = 0,  // dx, dy, pen lifted after this point
  kStroke5 = 1,  // dx, dy, pen down, pen lifted, end of drawing
  kPoints = 2,   // x, y, pen lifted after this point
};
enum class StrokeScale : uint8_t { kNone = 0, kUnit = 1, kDataset = 2 };
enum class TooLong : uint8_t { kTruncate = 0, kDrop = 1, kError = 2 };

// dx, dy of the first point are its place relative to (0, 0), as sketch-rnn
// has it.
struct StrokesSpec {
  StrokeFormat format = StrokeFormat::kStroke3;
  uint32_t max_len = 250;  // points, without the start token; 1..limit (4096)
  // A first row 0, 0, 1, 0, 0 (stroke5) or zeros. Unset: for stroke5 only.
  std::optional<bool> start_token;
  StrokeScale scale = StrokeScale::kNone;
  double scale_value = 0;  // > 0: divide by it, whatever `scale` says
  TooLong too_long = TooLong::kTruncate;
  float resample = 0;  // > 0: points this far apart, units of the canvas
  float prefix = 1;    // (0, 1]: share of the points kept, from the first on
  // One more column behind the format's own: seconds since the drawing's first
  // point; 0 in start tokens, padding and drawings without times.
  bool times = false;
  bool ragged = false;
  DType dtype = DType::kFloat32;  // float32 | float16

  bool operator==(const StrokesSpec&) const = default;
};

}  // namespace inkstream

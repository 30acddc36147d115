// A drawing's strokes as they travel:
//
//   varint  strokes * 4 + flags: 1 coordinates are whole numbers of 0..255,
//           2 there are times
//   varint  points, for each stroke
//   x of all points, then y: with flag 1 one byte each, the difference to the
//           point before (the first: to 0) modulo 256; else float32
//   float32 time of each point (with flag 2)
//
// Floats are little-endian IEEE and come back bit for bit.
//
// Thread safety: EncodeStrokes is a pure function; one decoder a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "inkstream/drawing.h"

namespace inkstream::rows {

// The most bytes that the drawing can take.
size_t MostStrokesBytes(const StrokesView& drawing);

// Writes to `out`, which has room for so many; returns the end.
uint8_t* EncodeStrokes(const StrokesView& drawing, uint8_t* out);

// The same of a drawing whose coordinates are whole numbers of 0..255, without
// times. `stroke_ends`: as StrokesView's.
size_t MostStrokesBytes(absl::Span<const uint32_t> stroke_ends);
uint8_t* EncodeStrokes(absl::Span<const uint32_t> stroke_ends,
                       absl::Span<const uint8_t> x, absl::Span<const uint8_t> y,
                       uint8_t* out);

class StrokesDecoder {
 public:
  // DATA_LOSS: the bytes are not one drawing. What is allocated is in
  // proportion to them. The view is valid until the next call.
  absl::StatusOr<StrokesView> Decode(absl::Span<const uint8_t> bytes);

 private:
  std::vector<uint32_t> stroke_ends_;
  std::vector<float> x_, y_, t_;
};

}  // namespace inkstream::rows

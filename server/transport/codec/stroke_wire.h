// Drawings as they travel under CODEC_STROKES, one after another:
//
//   varint  strokes * 8 + flags: 1 coordinates are whole numbers of 0..255,
//           2 there are times, 4 an occurrence follows
//   varint  occurrence (with flag 4)
//   varint  points, for each stroke
//   x of all points, then y: with flag 1 one byte each, the difference to the
//           point before (the first: to 0) modulo 256; else float32
//   float32 time of each point (with flag 2)
//
// Floats are little-endian IEEE and come back bit for bit.
//
// Thread safety: AppendStrokes is a pure function; one reader a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "inkstream/drawing.h"

namespace inkstream::transport {

void AppendStrokes(const StrokesView& drawing, uint64_t occurrence,
                   std::vector<uint8_t>* encoded);

class StrokeWireReader {
 public:
  // Borrows `encoded`.
  explicit StrokeWireReader(absl::Span<const uint8_t> encoded)
      : left_(encoded) {}

  // The next drawing. INTERNAL: the bytes are not one. What is allocated is in
  // proportion to the bytes there are.
  absl::Status Next();
  bool at_end() const { return left_.empty(); }

  // Of the last Next(), valid until the following one.
  StrokesView strokes() const { return {stroke_ends_, x_, y_, t_}; }
  uint64_t occurrence() const { return occurrence_; }

 private:
  bool ReadVarint(uint64_t* value);
  bool ReadBytes(size_t points, std::vector<float>* values);
  bool ReadFloats(size_t points, std::vector<float>* values);

  absl::Span<const uint8_t> left_;
  uint64_t occurrence_ = 0;
  std::vector<uint32_t> stroke_ends_;
  std::vector<float> x_, y_, t_;
};

}  // namespace inkstream::transport

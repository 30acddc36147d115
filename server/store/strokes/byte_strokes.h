// The strokes of a simplified drawing as bytes: what the encoder works on.
//
// Thread safety: plain value that borrows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace inkstream::store {

// As StrokesView, without times.
struct ByteStrokes {
  absl::Span<const uint32_t> stroke_ends;  // [strokes], exclusive, ascending
  absl::Span<const uint8_t> x;             // [points]
  absl::Span<const uint8_t> y;             // [points]

  size_t strokes() const { return stroke_ends.size(); }
  size_t points() const { return x.size(); }
  size_t begin(size_t s) const { return s == 0 ? 0 : stroke_ends[s - 1]; }
  size_t end(size_t s) const { return stroke_ends[s]; }
};

}  // namespace inkstream::store

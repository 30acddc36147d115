// A batch as rows: what the contract calls its data under CODEC_STROKES.
// Little-endian, one array behind the other, for n drawings:
//
//   int64[n]   of each column that was asked for, in that order
//   int64[n]   index
//   uint8[n]   valid: 1, or 0
//   uint64[n]  occurrence, where BatchHeader.rows says so
//   uint32[n]  bytes of the strokes; 0: the drawing is damaged
//   the strokes of all drawings (stroke_coding.h)
//
// Thread safety: plain values; a RowsView may be read by any threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace inkstream::rows {

// More than the strokes of a drawing of 65,535 points with times can take.
inline constexpr uint32_t kMostStrokesBytes = 2U << 20U;

// Rows of a batch that take so many bytes more than its tensors, or less, may
// come as rows; longer ones are tensors.
inline constexpr uint64_t kMostBeyondTensors = 64U << 10U;

struct RowsShape {
  uint32_t columns = 0;
  bool occurrences = false;

  // Where the arrays behind the columns of n rows begin.
  uint64_t Index(uint64_t n) const { return 8 * columns * n; }
  uint64_t Valid(uint64_t n) const { return Index(n) + 8 * n; }
  uint64_t Occurrences(uint64_t n) const { return Valid(n) + n; }
  uint64_t Lengths(uint64_t n) const {
    return Occurrences(n) + (occurrences ? 8 * n : 0);
  }
  uint64_t Strokes(uint64_t n) const { return Lengths(n) + 4 * n; }
};

// What tells a damaged link from a damaged store: XXH3-64.
uint64_t ChecksumOf(absl::Span<const uint8_t> batch);

// Borrows a batch's bytes, which need no alignment.
class RowsView {
 public:
  // INTERNAL: the bytes are not a batch of so many rows; nothing was allocated
  // that they are not long enough for.
  static absl::StatusOr<RowsView> Parse(const RowsShape& shape, uint32_t rows,
                                        absl::Span<const uint8_t> bytes);

  uint32_t rows() const { return rows_; }
  // 8 * rows() bytes.
  const uint8_t* column(size_t i) const {
    return bytes_.data() + 8 * i * rows_;
  }
  const uint8_t* index() const { return bytes_.data() + shape_.Index(rows_); }
  const uint8_t* valid() const { return bytes_.data() + shape_.Valid(rows_); }
  // Null: none came before.
  const uint8_t* occurrences() const {
    return shape_.occurrences ? bytes_.data() + shape_.Occurrences(rows_)
                              : nullptr;
  }
  // Of one row; empty: the drawing is damaged.
  absl::Span<const uint8_t> strokes(uint32_t row) const {
    return bytes_.subspan(begins_[row], begins_[row + 1] - begins_[row]);
  }

 private:
  RowsView(const RowsShape& shape, uint32_t rows,
           absl::Span<const uint8_t> bytes)
      : shape_(shape), rows_(rows), bytes_(bytes) {}

  RowsShape shape_;
  uint32_t rows_;
  absl::Span<const uint8_t> bytes_;
  std::vector<uint64_t> begins_;  // of each row's strokes, and the end
};

}  // namespace inkstream::rows

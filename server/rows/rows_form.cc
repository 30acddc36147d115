#include "server/rows/rows_form.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace inkstream::rows {

static_assert(std::endian::native == std::endian::little,
              "numbers travel as they lie in memory");

uint64_t ChecksumOf(absl::Span<const uint8_t> batch) {
  return XXH3_64bits(batch.data(), batch.size());
}

absl::StatusOr<RowsView> RowsView::Parse(const RowsShape& shape, uint32_t rows,
                                         absl::Span<const uint8_t> bytes) {
  const uint64_t begin = shape.Strokes(rows);
  if (bytes.size() < begin) {
    return absl::InternalError(absl::StrCat(rows, " rows without strokes take ",
                                            begin, " bytes, not ",
                                            bytes.size()));
  }
  RowsView view(shape, rows, bytes);
  const uint8_t* const valid = view.valid();
  if (std::any_of(valid, valid + rows, [](uint8_t v) { return v > 1; })) {
    return absl::InternalError("valid is neither 0 nor 1");
  }
  view.begins_.resize(size_t{rows} + 1);
  uint64_t at = begin;
  for (uint32_t row = 0; row < rows; ++row) {
    uint32_t length = 0;
    std::memcpy(&length, bytes.data() + shape.Lengths(rows) + 4 * uint64_t{row},
                sizeof(length));
    view.begins_[row] = at;
    at += length;
    if (length > kMostStrokesBytes || at > bytes.size()) {
      return absl::InternalError(
          absl::StrCat("the strokes of row ", row, ", ", length,
                       " bytes, go beyond the batch or ", kMostStrokesBytes));
    }
  }
  view.begins_[rows] = at;
  if (at != bytes.size()) {
    return absl::InternalError(
        absl::StrCat("rows of ", at, " bytes came in ", bytes.size()));
  }
  return view;
}

}  // namespace inkstream::rows

// Strokes -> stroke tensors in the caller's memory.
//
// Thread safety: one object a thread (it holds scratch memory). No allocation
// per drawing once the scratch has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "inkstream/drawing.h"
#include "inkstream/strokes_spec.h"

namespace inkstream::raster {

class StrokeTensor {
 public:
  // `dataset_std`: standard deviation of the offsets of the dataset's split,
  // for StrokeScale::kDataset; 0 where the store has none. INVALID_ARGUMENT
  // names the field, the value and the limit.
  static absl::StatusOr<StrokeTensor> Create(const StrokesSpec& spec,
                                             double dataset_std,
                                             uint32_t max_len_limit = 4096);

  uint32_t columns() const { return columns_; }  // 3 to 6
  // Rows of a padded tensor: max_len and the start token.
  uint32_t padded_rows() const { return spec_.max_len + start_rows_; }
  uint32_t start_rows() const { return start_rows_; }  // 1 with a start token
  size_t element_bytes() const { return SizeOf(spec_.dtype); }
  size_t row_bytes() const { return columns_ * element_bytes(); }
  size_t padded_bytes() const {
    return size_t{padded_rows()} * columns_ * element_bytes();
  }

  // What Write() will write of a drawing.
  struct Extent {
    uint32_t length = 0;   // points, without the start token
    uint32_t rows = 0;     // length and the start token
    bool dropped = false;  // too long under TooLong::kDrop; length is 0
  };

  // Takes the drawing in: resamples, cuts. OUT_OF_RANGE: too long under
  // TooLong::kError. `strokes` may be reused afterwards.
  absl::StatusOr<Extent> Load(const StrokesView& strokes);

  // Rows of the loaded drawing, without padding: rows * columns elements.
  void WriteRagged(uint8_t* out) const;

  // padded_bytes() bytes: the rows, then padding (zeros; stroke5: 0 0 0 0 1,
  // and 0 where there are times).
  void WritePadded(uint8_t* out) const;

 private:
  StrokeTensor(const StrokesSpec& spec, float divisor);

  void Resample(const StrokesView& strokes);
  template <typename Element>
  void WriteRows(uint8_t* out) const;

  StrokesSpec spec_;
  float factor_;  // 1 / divisor
  uint32_t columns_;
  uint32_t start_rows_;
  uint32_t length_ = 0;
  std::vector<float> x_, y_;
  std::vector<float> t_;         // milliseconds, where they are asked for
  std::vector<uint8_t> lifted_;  // pen lifted after the point
};

}  // namespace inkstream::raster

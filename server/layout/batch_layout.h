// Which tensors a batch has and where they lie: the price of a plan.
//
// Thread safety: immutable after construction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inkstream/plan.h"
#include "inkstream/tensor.h"

namespace inkstream::layout {

// What a batch may come to.
struct BatchLimits {
  uint32_t max_image_side = 1024;            // pixels
  uint32_t max_batch_size = 65536;           // drawings
  uint64_t max_batch_bytes = 256ULL << 20U;  // bytes
  uint32_t max_stroke_len = 4096;            // points a drawing
  uint32_t max_views = 16;                   // copies of a drawing
};

enum class Field : uint8_t {
  kImage,
  kStrokes,
  kLength,
  kOffsets,
  kLabel,
  kWord,
  kCountrycode,
  kTimestamp,
  kRecognized,
  kKeyId,
  kIndex,
  kValid,
};

// Whether it is a value of each drawing that a request lists by name.
bool IsColumn(Field field);

class BatchLayout {
 public:
  // INVALID_ARGUMENT names the field, its value and the limit. Nothing is
  // allocated beyond the table; sizes are multiplied with care for overflow.
  static absl::StatusOr<BatchLayout> Create(const DeliverySpec& delivery,
                                            const BatchLimits& limits);

  // Bytes of a batch of `rows`, a multiple of kTensorAlignment. Ragged values
  // count as if every drawing had all the points it may have.
  // REQUIRES: rows <= the batch size that was priced.
  uint64_t Bytes(uint32_t rows) const;

  // The tensors of a batch of `rows`, in the order of fields(). Ragged values
  // are the last of them and as long as Bytes() counts them.
  std::vector<TensorInfo> Tensors(uint32_t rows) const;

  const std::vector<Field>& fields() const { return fields_; }
  uint32_t views() const { return views_; }

  // Whether the strokes are values one after another; then a drawing's values
  // are rows of `stroke_row_bytes`, at most `max_stroke_rows` a view.
  bool ragged() const { return ragged_; }
  uint32_t max_stroke_rows() const { return max_stroke_rows_; }
  uint32_t stroke_row_bytes() const { return stroke_row_bytes_; }

 private:
  struct Tensor {
    std::string name;
    DType dtype;
    std::vector<int64_t> shape;  // behind the dimensions below
    uint64_t bytes;              // of one entry of the first dimension
    // The first dimension is rows * per_row + extra.
    uint64_t per_row = 1;
    uint64_t extra = 0;

    uint64_t Count(uint64_t rows) const { return rows * per_row + extra; }
    uint64_t Length(uint64_t rows) const { return Count(rows) * bytes; }
  };

  absl::Status AddImage(const ImageSpec& image, const BatchLimits& limits);
  absl::Status AddStrokes(const StrokesSpec& strokes,
                          const BatchLimits& limits);
  absl::Status AddColumns(const std::vector<std::string>& columns);
  absl::Status CheckSize(uint32_t rows, uint64_t limit) const;
  void Add(Field field, Tensor tensor);
  // Shape behind the first dimension of a tensor of each view.
  std::vector<int64_t> WithViews(std::vector<int64_t> shape) const;

  std::vector<Field> fields_;
  std::vector<Tensor> tensors_;  // same order
  uint32_t views_ = 1;
  bool ragged_ = false;
  uint32_t max_stroke_rows_ = 0;
  uint32_t stroke_row_bytes_ = 0;
};

}  // namespace inkstream::layout

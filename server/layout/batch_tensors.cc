#include "server/layout/batch_tensors.h"

#include <algorithm>
#include <cstring>

namespace inkstream::layout {

BatchTensors::BatchTensors(const LayoutRecipe& recipe, uint32_t rows,
                           uint8_t* memory)
    : recipe_(recipe),
      rows_(rows),
      memory_(memory),
      tensors_(recipe.layout.Tensors(rows)),
      byte_size_(recipe.layout.Bytes(rows)) {
  for (size_t t = 0; t < tensors_.size(); ++t) {
    const uint64_t end = tensors_[t].offset + tensors_[t].length;
    const uint64_t next =
        t + 1 < tensors_.size() ? tensors_[t + 1].offset : byte_size_;
    std::memset(memory_ + end, 0, next - end);
  }
}

uint8_t* BatchTensors::BytesOf(Field field) const {
  const std::vector<Field>& fields = recipe_.layout.fields();
  const auto found = std::find(fields.begin(), fields.end(), field);
  if (found == fields.end()) return nullptr;
  return memory_ + tensors_[found - fields.begin()].offset;
}

void BatchTensors::JoinRagged() {
  const BatchLayout& layout = recipe_.layout;
  const auto* const length =
      reinterpret_cast<const int64_t*>(BytesOf(Field::kLength));
  auto* const offsets = reinterpret_cast<int64_t*>(BytesOf(Field::kOffsets));
  uint8_t* const values = BytesOf(Field::kStrokes);
  const uint64_t views = layout.views();
  const uint64_t row_bytes = layout.stroke_row_bytes();
  const int64_t start_rows =
      layout.max_stroke_rows() - recipe_.strokes->max_len;
  const uint64_t all = rows_ * views;
  const uint64_t in_piece = recipe_.rows_a_piece * views;
  offsets[0] = 0;
  for (uint64_t first = 0; first < all; first += in_piece) {
    const uint64_t last = std::min(all, first + in_piece);
    for (uint64_t i = first; i < last; ++i) {
      offsets[i + 1] = offsets[i] + length[i] + start_rows;
    }
    std::memmove(values + offsets[first] * row_bytes,
                 values + first * layout.max_stroke_rows() * row_bytes,
                 (offsets[last] - offsets[first]) * row_bytes);
  }
  TensorInfo& tensor = tensors_.back();
  tensor.shape[0] = offsets[all];
  tensor.length = offsets[all] * row_bytes;
  const uint64_t end = tensor.offset + tensor.length;
  byte_size_ =
      (end + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
  std::memset(memory_ + end, 0, byte_size_ - end);
}

}  // namespace inkstream::layout

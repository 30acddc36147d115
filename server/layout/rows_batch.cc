#include "server/layout/rows_batch.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/layout/piece_layout.h"
#include "server/rows/stroke_coding.h"

namespace inkstream::layout {

rows::RowsShape RowsShapeOf(const LayoutRecipe& recipe, bool sampled) {
  const std::vector<Field>& fields = recipe.layout.fields();
  return {static_cast<uint32_t>(
              std::count_if(fields.begin(), fields.end(), IsColumn)),
          sampled && recipe.augment.has_value()};
}

RowsBatch::RowsBatch(const LayoutRecipe& recipe, rows::RowsView rows,
                     uint64_t epoch, std::string whence, uint8_t* memory)
    : recipe_(recipe),
      rows_(std::move(rows)),
      epoch_(epoch),
      whence_(std::move(whence)),
      tensors_(recipe, rows_.rows(), memory),
      damage_(recipe.skip_damaged) {}

uint32_t RowsBatch::pieces() const {
  return (rows_.rows() + recipe_.rows_a_piece - 1) / recipe_.rows_a_piece;
}

absl::Status RowsBatch::DrawPiece(uint32_t piece, DrawingTools* tools) {
  const uint32_t first = piece * recipe_.rows_a_piece;
  const uint32_t last = std::min(rows_.rows(), first + recipe_.rows_a_piece);
  const size_t bytes = sizeof(int64_t) * (last - first);
  const auto copy = [first, bytes](const uint8_t* from, uint8_t* to) {
    const size_t begin = sizeof(int64_t) * first;
    std::memcpy(to + begin, from + begin, bytes);
  };
  size_t column = 0;
  const std::vector<Field>& fields = recipe_.layout.fields();
  for (size_t t = 0; t < fields.size(); ++t) {
    if (!IsColumn(fields[t])) continue;
    copy(rows_.column(column++),
         tensors_.memory() + tensors_.tensors()[t].offset);
  }
  copy(rows_.index(), tensors_.BytesOf(Field::kIndex));
  for (uint32_t row = first; row < last; ++row) {
    const bool damaged = rows_.strokes(row).empty();
    tensors_.valid()[row] = damaged ? 0 : rows_.valid()[row];
  }
  std::vector<uint64_t> occurrences;
  if (rows_.occurrences() != nullptr) {
    occurrences.resize(last - first);
    std::memcpy(occurrences.data(),
                rows_.occurrences() + sizeof(uint64_t) * first, bytes);
  }
  rows::StrokesDecoder decoder;
  const auto read = [&](size_t i) -> absl::StatusOr<StrokesView> {
    const uint32_t row = first + static_cast<uint32_t>(i);
    const absl::Span<const uint8_t> strokes = rows_.strokes(row);
    if (strokes.empty()) return StrokesView();
    absl::StatusOr<StrokesView> drawing = decoder.Decode(strokes);
    if (drawing.ok()) return drawing;
    return absl::DataLossError(absl::StrCat("drawing ", tensors_.index()[row],
                                            " of ", whence_, ": ",
                                            drawing.status().message()));
  };
  return LayOut(recipe_, {first, last, epoch_, occurrences}, tensors_, read,
                tools, &damage_)
      .status();
}

void RowsBatch::Join() {
  if (recipe_.layout.ragged()) tensors_.JoinRagged();
}

}  // namespace inkstream::layout

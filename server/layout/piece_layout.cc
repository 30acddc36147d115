#include "server/layout/piece_layout.h"

#include <chrono>

namespace inkstream::layout {
namespace {

constexpr uint32_t kTimedEvery = 8;  // drawings

using Clock = std::chrono::steady_clock;

}  // namespace

absl::StatusOr<double> LayOut(const LayoutRecipe& recipe, const Piece& piece,
                              const BatchTensors& batch, ReadStrokes read,
                              DrawingTools* tools, Damage* damage) {
  absl::StatusOr<raster::DrawingTensors> drawing = tools->Of(recipe);
  if (!drawing.ok()) return drawing.status();
  const uint64_t before = uint64_t{piece.first} * drawing->views;
  if (drawing->rasterizer != nullptr) {
    drawing->image = batch.BytesOf(Field::kImage) +
                     before * drawing->rasterizer->image_bytes();
  }
  if (drawing->stroke_tensor != nullptr) {
    // Ragged or not, a piece begins where it would if all before it were as
    // long as they may be; JoinRagged() closes the gaps.
    drawing->strokes = batch.BytesOf(Field::kStrokes) +
                       before * drawing->stroke_tensor->padded_bytes();
    drawing->length =
        reinterpret_cast<int64_t*>(batch.BytesOf(Field::kLength)) + before;
  }
  const int64_t* const indices = batch.index();
  uint8_t* const valid = batch.valid();
  raster::AugmentKey key = {recipe.seed, piece.epoch, 0, 0, recipe.first_view};
  Clock::duration decoding{};
  for (uint32_t row = piece.first; row < piece.last; ++row) {
    const uint32_t i = row - piece.first;
    const bool timed = i % kTimedEvery == 0;
    const Clock::time_point start = timed ? Clock::now() : Clock::time_point();
    absl::StatusOr<StrokesView> strokes = read(i);
    if (timed) decoding += kTimedEvery * (Clock::now() - start);
    if (!strokes.ok()) {
      if (!damage->Skips(strokes.status())) return strokes.status();
      strokes = StrokesView();
      valid[row] = 0;
    }
    key.index = static_cast<uint64_t>(indices[row]);
    key.occurrence = piece.occurrences.empty() ? 0 : piece.occurrences[i];
    const absl::StatusOr<bool> whole = drawing->Draw(*strokes, key);
    if (!whole.ok()) return whole.status();
    if (!*whole) valid[row] = 0;
  }
  return std::chrono::duration<double>(decoding).count();
}

}  // namespace inkstream::layout

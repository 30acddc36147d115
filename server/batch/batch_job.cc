#include "server/batch/batch_job.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <utility>

namespace inkstream::batch {
namespace {

// About half a millisecond on one core, by the rasteriser's own figures.
constexpr uint64_t kPixelsAPiece = 1U << 19U;
constexpr uint64_t kMaxRowsAPiece = 512;
constexpr uint64_t kMinRowsAPiece = 8;
constexpr uint32_t kTimedEvery = 8;  // records

}  // namespace

uint32_t RowsAPiece(const DeliverySpec& delivery, int workers) {
  uint64_t rows = kMaxRowsAPiece;
  if (delivery.image.has_value()) {
    const uint64_t pixels =
        uint64_t{delivery.image->height} * delivery.image->width;
    rows = std::clamp<uint64_t>(kPixelsAPiece / std::max<uint64_t>(pixels, 1),
                                1, kMaxRowsAPiece);
  }
  const uint64_t share = (delivery.batch_size + workers - 1) / workers;
  return static_cast<uint32_t>(std::min(rows, std::max(share, kMinRowsAPiece)));
}

BatchJob::BatchJob(std::shared_ptr<const BatchRecipe> recipe, RowSource source,
                   FinishedBatch batch, uint32_t valid_rows)
    : recipe_(std::move(recipe)),
      source_(std::move(source)),
      batch_(std::move(batch)),
      valid_rows_(valid_rows),
      pieces_((batch_.rows + recipe_->rows_a_piece - 1) /
              recipe_->rows_a_piece),
      unfinished_(pieces_) {
  batch_.tensors = recipe_->layout.Tensors(batch_.rows);
  batch_.byte_size = recipe_->layout.Bytes(batch_.rows);
  ZeroGaps();
}

bool BatchJob::RunPiece(uint32_t piece, WorkerScratch* scratch) {
  const uint32_t first = piece * recipe_->rows_a_piece;
  const uint32_t last = std::min(batch_.rows, first + recipe_->rows_a_piece);
  if (!failed_.load(std::memory_order_relaxed)) LayOut(first, last, scratch);
  return unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

uint64_t BatchJob::IndexAt(const RowSource& source, const ResolvedView& view,
                           uint32_t row) {
  if (source.order == nullptr) return source.indices[row];
  const uint64_t size = source.order->size();
  uint64_t position = source.first + row;
  if (position >= size) position %= size;
  return view.IndexOf(source.order->RankAt(position));
}

void BatchJob::LayOut(uint32_t first, uint32_t last, WorkerScratch* scratch) {
  const std::vector<Field>& fields = recipe_->layout.fields();
  uint8_t* const bytes = batch_.buffer->data();
  int64_t* indices = nullptr;
  for (size_t t = 0; t < fields.size(); ++t) {
    if (fields[t] == Field::kIndex) {
      indices = reinterpret_cast<int64_t*>(bytes + batch_.tensors[t].offset);
    }
  }
  for (uint32_t row = first; row < last; ++row) {
    indices[row] = static_cast<int64_t>(IndexAt(source_, *recipe_->view, row));
  }
  std::vector<uint32_t> skipped;
  for (size_t t = 0; t < fields.size(); ++t) {
    uint8_t* const tensor = bytes + batch_.tensors[t].offset;
    if (fields[t] == Field::kImage) {
      absl::Status drawn =
          DrawRows(first, last, indices, tensor, scratch, &skipped);
      if (!drawn.ok()) return Fail(std::move(drawn));
    } else if (fields[t] != Field::kIndex) {
      FillColumn(fields[t], first, last, indices, tensor);
    }
  }
  for (size_t t = 0; t < fields.size() && !skipped.empty(); ++t) {
    if (fields[t] != Field::kValid) continue;
    for (const uint32_t row : skipped)
      bytes[batch_.tensors[t].offset + row] = 0;
  }
}

absl::Status BatchJob::DrawRows(uint32_t first, uint32_t last,
                                const int64_t* indices, uint8_t* images,
                                WorkerScratch* scratch,
                                std::vector<uint32_t>* skipped) {
  using Clock = std::chrono::steady_clock;
  absl::StatusOr<raster::Rasterizer*> rasterizer =
      scratch->RasterizerOf(*recipe_->image, recipe_->max_image_side);
  if (!rasterizer.ok()) return rasterizer.status();
  store::DrawingReader* const reader = scratch->ReaderOf(*recipe_->store);
  const size_t image_bytes = (*rasterizer)->image_bytes();
  int64_t nanos = 0;
  for (uint32_t row = first; row < last; ++row) {
    const bool timed = row % kTimedEvery == 0;
    const Clock::time_point start = timed ? Clock::now() : Clock::time_point();
    absl::StatusOr<StrokesView> strokes = reader->ReadStrokes(indices[row]);
    if (timed) nanos += kTimedEvery * (Clock::now() - start).count();
    if (!strokes.ok()) {
      if (!Skip(strokes.status())) return strokes.status();
      skipped->push_back(row);
      strokes = StrokesView();
    }
    (*rasterizer)->Draw(*strokes, images + row * image_bytes);
  }
  store_nanos_.fetch_add(nanos, std::memory_order_relaxed);
  return absl::OkStatus();
}

void BatchJob::FillColumn(Field field, uint32_t first, uint32_t last,
                          const int64_t* indices, uint8_t* bytes) const {
  const store::StoreReader& store = *recipe_->store;
  const ResolvedView& view = *recipe_->view;
  int64_t* const out = reinterpret_cast<int64_t*>(bytes);
  for (uint32_t row = first; row < last; ++row) {
    const uint64_t index = static_cast<uint64_t>(indices[row]);
    switch (field) {
      case Field::kLabel: {
        const int32_t label = view.LabelOf(store.Label(index));
        out[row] = label < 0 ? recipe_->ignore_index : label;
        break;
      }
      case Field::kWord:
        out[row] = view.LabelOf(store.Label(index));
        break;
      case Field::kCountrycode:
        out[row] = store.Countrycode(index);
        break;
      case Field::kTimestamp: {
        const int64_t micros = store.TimestampMicros(index);
        out[row] = micros == std::numeric_limits<int64_t>::min() ? -1 : micros;
        break;
      }
      case Field::kRecognized:
        out[row] = store.Recognized(index);
        break;
      case Field::kKeyId:
        out[row] = store.KeyId(index);
        break;
      case Field::kValid:
        bytes[row] = row < valid_rows_ ? 1 : 0;
        break;
      case Field::kImage:
      case Field::kIndex:
        break;
    }
  }
}

// Buffers are used again: without this, bytes of other batches would travel
// between the tensors.
void BatchJob::ZeroGaps() {
  uint8_t* const bytes = batch_.buffer->data();
  for (size_t t = 0; t < batch_.tensors.size(); ++t) {
    const uint64_t end = batch_.tensors[t].offset + batch_.tensors[t].length;
    const uint64_t next = t + 1 < batch_.tensors.size()
                              ? batch_.tensors[t + 1].offset
                              : batch_.byte_size;
    std::memset(bytes + end, 0, next - end);
  }
}

bool BatchJob::Skip(const absl::Status& status) {
  if (!recipe_->skip_damaged || !absl::IsDataLoss(status)) return false;
  const std::lock_guard<std::mutex> lock(mu_);
  if (damage_.ok()) damage_ = status;
  ++batch_.bad;
  return true;
}

void BatchJob::Fail(absl::Status status) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (status_.ok()) status_ = std::move(status);
  failed_.store(true, std::memory_order_relaxed);
}

}  // namespace inkstream::batch

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
constexpr uint64_t kPixelsAPoint = 4;  // a point of a stroke tensor
constexpr uint64_t kMaxRowsAPiece = 512;
constexpr uint64_t kMinRowsAPiece = 8;
constexpr uint32_t kTimedEvery = 8;  // records

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

uint32_t RowsAPiece(const DeliverySpec& delivery, int workers) {
  uint64_t pixels = 0;
  if (delivery.image.has_value()) {
    pixels += uint64_t{delivery.image->height} * delivery.image->width *
              delivery.image->channels.size();
  }
  if (delivery.strokes.has_value()) {
    pixels += delivery.strokes->max_len * kPixelsAPoint;
  }
  const uint64_t rows = std::clamp<uint64_t>(
      kPixelsAPiece / std::max<uint64_t>(pixels * delivery.views, 1), 1,
      kMaxRowsAPiece);
  const uint64_t share = (delivery.batch_size + workers - 1) / workers;
  return static_cast<uint32_t>(std::min(rows, std::max(share, kMinRowsAPiece)));
}

uint32_t FetchRowsAPiece(const DeliverySpec& delivery, int workers) {
  return std::max(1U, RowsAPiece(delivery, workers) / 4);
}

BatchJob::BatchJob(std::shared_ptr<const BatchRecipe> recipe, RowSource source,
                   FinishedBatch batch, uint32_t valid_rows, Packing packing)
    : recipe_(std::move(recipe)),
      source_(std::move(source)),
      batch_(std::move(batch)),
      valid_rows_(valid_rows),
      pieces_((batch_.rows + recipe_->rows_a_piece - 1) /
              recipe_->rows_a_piece),
      packed_(packing.form == WireForm::kRaw
                  ? nullptr
                  : std::make_unique<PackedPieces>(std::move(packing.packer),
                                                   pieces_)),
      form_(packing.form),
      unfinished_(pieces_) {
  batch_.tensors = recipe_->layout.Tensors(batch_.rows);
  batch_.byte_size = recipe_->layout.Bytes(batch_.rows);
  ZeroGaps();
}

bool BatchJob::RunPiece(uint32_t piece, WorkerScratch* scratch) {
  const uint32_t first = piece * recipe_->rows_a_piece;
  const uint32_t last = std::min(batch_.rows, first + recipe_->rows_a_piece);
  if (!failed_.load(std::memory_order_relaxed)) {
    const ThreadUsage begin = ThreadUsage::Now();
    Measured measured;
    LayOut(first, last, scratch, &measured);
    const StageTimes times =
        StagesOf(begin, ThreadUsage::Now(), measured.reading, measured.packing);
    const double seconds[] = {times.disk, times.decode, times.draw, times.pack};
    for (size_t i = 0; i < stage_nanos_.size(); ++i) {
      stage_nanos_[i].fetch_add(static_cast<int64_t>(seconds[i] * 1e9),
                                std::memory_order_relaxed);
    }
  }
  if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  if (failed_.load()) return true;
  if (recipe_->layout.ragged()) JoinRagged();
  if (packed_ != nullptr) {
    // Images are the first tensor, and packed already.
    packed_->Join(
        recipe_->image.has_value() ? batch_.tensors.front().length : 0,
        &batch_);
  }
  return true;
}

StageTimes BatchJob::stages() const {
  const auto seconds = [this](size_t i) {
    return stage_nanos_[i].load(std::memory_order_relaxed) * 1e-9;
  };
  return {seconds(0), seconds(1), seconds(2), seconds(3)};
}

void RowSource::Resolve(const SampledView& sampled, uint32_t row,
                        absl::Span<int64_t> out,
                        absl::Span<uint64_t> occurrences) const {
  if (order == nullptr) {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<int64_t>(indices[row + i]);
    }
    std::fill(occurrences.begin(), occurrences.end(), 0);
    return;
  }
  std::vector<order::Pick> picks(out.size());
  order->PicksFrom(first + row, absl::MakeSpan(picks));
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<int64_t>(sampled.IndexOf(picks[i]));
    if (!occurrences.empty()) occurrences[i] = sampled.OccurrenceOf(picks[i]);
  }
}

void BatchJob::LayOut(uint32_t first, uint32_t last, WorkerScratch* scratch,
                      Measured* measured) {
  auto* const indices = reinterpret_cast<int64_t*>(BytesOf(Field::kIndex));
  std::vector<uint64_t> occurrences;
  if (recipe_->augment.has_value()) occurrences.resize(last - first);
  source_.Resolve(*recipe_->sampled, first,
                  absl::MakeSpan(indices + first, last - first),
                  absl::MakeSpan(occurrences));
  const std::vector<Field>& fields = recipe_->layout.fields();
  for (size_t t = 0; t < fields.size(); ++t) {
    FillColumn(fields[t], first, last, indices,
               batch_.buffer->data() + batch_.tensors[t].offset);
  }
  if (!recipe_->image.has_value() && !recipe_->strokes.has_value()) return;
  absl::Status drawn =
      packed_ != nullptr && recipe_->image.has_value()
          ? DrawPacked(first, last, occurrences, scratch, measured)
          : DrawRows(first, last, occurrences, nullptr, 0, scratch, measured);
  if (!drawn.ok()) Fail(std::move(drawn));
}

absl::Status BatchJob::DrawPacked(uint32_t first, uint32_t last,
                                  absl::Span<const uint64_t> occurrences,
                                  WorkerScratch* scratch, Measured* measured) {
  const uint32_t piece = first / recipe_->rows_a_piece;
  const uint64_t row_bytes = batch_.tensors.front().length / batch_.rows;
  const uint64_t begin = first * row_bytes;
  const uint64_t end = last * row_bytes;
  uint8_t* const bytes = batch_.buffer->data();
  std::vector<uint8_t>* const encoded = scratch->encoded();
  if (form_ == WireForm::kStrokes) {
    const Clock::time_point start = Clock::now();
    encoded->clear();
    absl::Status status =
        DrawRows(first, last, occurrences, encoded,
                 PackedPieces::MaxStrokesBytes(begin, end), scratch, measured);
    if (!status.ok()) return status;
    const bool fits = packed_->PackStrokes(piece, *encoded, bytes, begin, end);
    // Nothing is drawn here but what stroke tensors are made of.
    measured->packing += SecondsSince(start) - measured->reading;
    if (fits) return absl::OkStatus();
    // Longer than their pixels: these travel as such.
  }
  absl::Status status =
      DrawRows(first, last, occurrences, nullptr, 0, scratch, measured);
  const Clock::time_point start = Clock::now();
  if (status.ok()) packed_->Pack(piece, bytes, begin, end);
  measured->packing += SecondsSince(start);
  return status;
}

absl::StatusOr<raster::DrawingTensors> BatchJob::ToolsOf(
    WorkerScratch* scratch) const {
  raster::DrawingTensors tools;
  tools.views = recipe_->layout.views();
  if (recipe_->image.has_value()) {
    absl::StatusOr<raster::Rasterizer*> rasterizer =
        scratch->RasterizerOf(*recipe_->image, recipe_->max_image_side);
    if (!rasterizer.ok()) return rasterizer.status();
    tools.rasterizer = *rasterizer;
  }
  if (recipe_->strokes.has_value()) {
    absl::StatusOr<raster::StrokeTensor*> tensor = scratch->StrokeTensorOf(
        *recipe_->strokes, recipe_->dataset_std, recipe_->max_stroke_len);
    if (!tensor.ok()) return tensor.status();
    tools.stroke_tensor = *tensor;
    tools.ragged = recipe_->layout.ragged();
  }
  if (recipe_->augment.has_value()) {
    absl::StatusOr<raster::Augmenter*> augmenter =
        scratch->AugmenterOf(*recipe_->augment);
    if (!augmenter.ok()) return augmenter.status();
    tools.augmenter = *augmenter;
  }
  return tools;
}

absl::Status BatchJob::DrawRows(uint32_t first, uint32_t last,
                                absl::Span<const uint64_t> occurrences,
                                std::vector<uint8_t>* encoded,
                                uint64_t max_encoded, WorkerScratch* scratch,
                                Measured* measured) {
  absl::StatusOr<raster::DrawingTensors> tools = ToolsOf(scratch);
  if (!tools.ok()) return tools.status();
  if (encoded != nullptr) tools->rasterizer = nullptr;
  // Strokes that did not fit are read once more to be drawn.
  const bool again = form_ == WireForm::kStrokes && encoded == nullptr &&
                     recipe_->image.has_value();
  const uint64_t before = uint64_t{first} * tools->views;
  if (tools->rasterizer != nullptr) {
    tools->image =
        BytesOf(Field::kImage) + before * tools->rasterizer->image_bytes();
  }
  if (tools->stroke_tensor != nullptr) {
    // Ragged or not, a piece begins where it would if all before it were as
    // long as they may be; JoinRagged() closes the gaps.
    tools->strokes = BytesOf(Field::kStrokes) +
                     before * tools->stroke_tensor->padded_bytes();
    tools->length =
        reinterpret_cast<int64_t*>(BytesOf(Field::kLength)) + before;
  }
  const auto* const indices =
      reinterpret_cast<const int64_t*>(BytesOf(Field::kIndex));
  uint8_t* const valid = BytesOf(Field::kValid);
  raster::AugmentKey key = {recipe_->seed, batch_.epoch, 0, 0,
                            recipe_->first_view};
  store::DrawingReader* const reader = scratch->ReaderOf(*recipe_->store);
  reader->WillRead(absl::MakeConstSpan(indices + first, last - first));
  int64_t nanos = 0;
  for (uint32_t row = first; row < last; ++row) {
    const bool timed = row % kTimedEvery == 0;
    const Clock::time_point start = timed ? Clock::now() : Clock::time_point();
    key.index = static_cast<uint64_t>(indices[row]);
    key.occurrence = occurrences.empty() ? 0 : occurrences[row - first];
    absl::StatusOr<StrokesView> strokes = reader->ReadStrokes(key.index);
    if (timed) nanos += kTimedEvery * (Clock::now() - start).count();
    if (!strokes.ok()) {
      if (!Skip(strokes.status(), again)) return strokes.status();
      strokes = StrokesView();
      valid[row] = 0;
    }
    if (encoded != nullptr) {
      // Beyond the limit nothing more is kept, but every record is read once.
      if (encoded->size() <= max_encoded) {
        packed_->packer().AppendStrokes(*strokes, key.occurrence, encoded);
      }
      if (tools->stroke_tensor == nullptr) continue;
    }
    const absl::StatusOr<bool> whole = tools->Draw(*strokes, key);
    if (!whole.ok()) return whole.status();
    if (!*whole) valid[row] = 0;
  }
  store_nanos_.fetch_add(nanos, std::memory_order_relaxed);
  measured->reading += nanos * 1e-9;
  return absl::OkStatus();
}

// Ragged values of each piece lie one after another already; the pieces are
// moved together, and what is not used is not sent.
void BatchJob::JoinRagged() {
  const BatchLayout& layout = recipe_->layout;
  const auto* const length =
      reinterpret_cast<const int64_t*>(BytesOf(Field::kLength));
  auto* const offsets = reinterpret_cast<int64_t*>(BytesOf(Field::kOffsets));
  uint8_t* const values = BytesOf(Field::kStrokes);
  const uint64_t views = layout.views();
  const uint64_t row_bytes = layout.stroke_row_bytes();
  const int64_t start_rows =
      layout.max_stroke_rows() - recipe_->strokes->max_len;
  const uint64_t all = batch_.rows * views;
  const uint64_t in_piece = recipe_->rows_a_piece * views;
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
  TensorInfo& tensor = batch_.tensors.back();
  tensor.shape[0] = offsets[all];
  tensor.length = offsets[all] * row_bytes;
  const uint64_t end = tensor.offset + tensor.length;
  batch_.byte_size =
      (end + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
  std::memset(batch_.buffer->data() + end, 0, batch_.byte_size - end);
}

uint8_t* BatchJob::BytesOf(Field field) const {
  const std::vector<Field>& fields = recipe_->layout.fields();
  const auto found = std::find(fields.begin(), fields.end(), field);
  if (found == fields.end()) return nullptr;
  return batch_.buffer->data() + batch_.tensors[found - fields.begin()].offset;
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
      case Field::kStrokes:
      case Field::kLength:
      case Field::kOffsets:
      case Field::kIndex:
        return;
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

bool BatchJob::Skip(const absl::Status& status, bool counted) {
  if (!recipe_->skip_damaged || !absl::IsDataLoss(status)) return false;
  if (counted) return true;
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

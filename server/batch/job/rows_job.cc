#include "server/batch/job/rows_job.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <utility>

#include "server/rows/stroke_coding.h"

namespace inkstream::batch {
namespace {

using Clock = std::chrono::steady_clock;

// Strokes of a few hundred drawings differ by some hundredths from others.
constexpr double kMargin = 1.125;
// Columns lie in the buffer as numbers of 8 bytes.
constexpr uint64_t kAligned = 8;

constexpr uint32_t kTimedEvery = 8;  // drawings

double SecondsOf(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

uint64_t Aligned(uint64_t bytes) {
  return (bytes + kAligned - 1) / kAligned * kAligned;
}

// A drawing that was read, in the form that is encoded with the least work.
class ReadDrawing {
 public:
  absl::Status Read(store::DrawingReader* reader, size_t i) {
    auto bytes = reader->ReadFoundBytes(i);
    if (!bytes.ok()) return bytes.status();
    bytes_ = *bytes;
    if (bytes_.has_value()) return absl::OkStatus();
    const absl::StatusOr<StrokesView> strokes = reader->ReadFound(i);
    if (strokes.ok()) strokes_ = *strokes;
    return strokes.status();
  }
  size_t MostBytes() const {
    return bytes_.has_value() ? rows::MostStrokesBytes(bytes_->stroke_ends)
                              : rows::MostStrokesBytes(strokes_);
  }
  uint32_t Encode(uint8_t* out) const {
    uint8_t* const end = bytes_.has_value()
                             ? rows::EncodeStrokes(bytes_->stroke_ends,
                                                   bytes_->x, bytes_->y, out)
                             : rows::EncodeStrokes(strokes_, out);
    return static_cast<uint32_t>(end - out);
  }

 private:
  std::optional<store::ByteStrokes> bytes_;
  StrokesView strokes_;
};

uint32_t RowsOf(const std::vector<RowsPart>& parts) {
  uint32_t rows = 0;
  for (const RowsPart& part : parts) rows += part.step.rows;
  return rows;
}

}  // namespace

uint64_t RowsRoom::StrokesBytes(uint32_t piece, uint32_t rows) const {
  if (!exact.empty()) return exact[piece];
  return static_cast<uint64_t>(std::ceil(rows * row_bytes * kMargin)) + kSlack;
}

uint64_t RowsRoom::Bytes(uint32_t rows, uint32_t batches) const {
  // Each of them begins at a number of 8 bytes.
  uint64_t bytes = shape.Strokes(rows) + kAligned * batches;
  if (batches > 1) return bytes + StrokesBytes(0, rows);
  for (uint32_t piece = 0; piece < Pieces(rows); ++piece) {
    const uint32_t first = piece * rows_a_piece;
    bytes += StrokesBytes(piece, std::min(rows - first, rows_a_piece));
  }
  return bytes;
}

RowsJob::RowsJob(std::shared_ptr<const BatchRecipe> recipe, RowsRoom room,
                 std::vector<RowsPart> parts, std::shared_ptr<Buffer> buffer)
    : PieceJob(std::move(recipe),
               parts.size() > 1 ? 1 : room.Pieces(parts.front().step.rows)),
      room_(std::move(room)),
      parts_(std::move(parts)),
      buffer_(std::move(buffer)),
      rows_(RowsOf(parts_)),
      damage_(recipe_->skip_damaged),
      strokes_bytes_(pieces()) {}

std::vector<FinishedBatch> RowsJob::Take() {
  return std::exchange(batches_, {});
}

double RowsJob::row_bytes() const {
  if (pieces() == 1) {
    return static_cast<double>(written_bytes_) /
           static_cast<double>(std::max<uint64_t>(1, written_rows_));
  }
  return static_cast<double>(std::accumulate(
             strokes_bytes_.begin(), strokes_bytes_.end(), uint64_t{0})) /
         rows_;
}

absl::Status RowsJob::RunRows(uint32_t piece, WorkerScratch* scratch,
                              Measured* measured) {
  uint8_t* const begin = buffer_->data();
  uint8_t* const end = begin + buffer_->size();
  if (pieces() > 1) {
    const RowsPart& part = parts_.front();
    const uint32_t first = piece * room_.rows_a_piece;
    const uint32_t last = std::min(rows_, first + room_.rows_a_piece);
    uint8_t* strokes = begin + room_.shape.Strokes(rows_);
    for (uint32_t p = 0; p < piece; ++p) {
      strokes += room_.StrokesBytes(p, room_.rows_a_piece);
    }
    const absl::StatusOr<uint64_t> bytes = WriteRows(
        part, first, last,
        {begin, strokes, strokes + room_.StrokesBytes(piece, last - first)},
        &damage_, scratch, measured);
    if (!bytes.ok()) return bytes.status();
    strokes_bytes_[piece] = *bytes;
    return absl::OkStatus();
  }
  uint8_t* at = begin;
  for (const RowsPart& part : parts_) {
    const uint32_t rows = part.step.rows;
    const uint64_t fixed = room_.shape.Strokes(rows);
    if (static_cast<uint64_t>(end - at) < fixed) break;
    layout::Damage damage(recipe_->skip_damaged);
    const absl::StatusOr<uint64_t> bytes = WriteRows(
        part, 0, rows, {at, at + fixed, end}, &damage, scratch, measured);
    if (!bytes.ok()) return bytes.status();
    written_rows_ += rows;
    written_bytes_ += *bytes;
    strokes_bytes_[0] = *bytes;
    const uint64_t most =
        recipe_->layout.Bytes(rows) + rows::kMostBeyondTensors;
    if (fixed + *bytes > std::min<uint64_t>(end - at, most)) break;
    AddBatch(part, at - begin, fixed + *bytes, damage);
    at = begin + std::min<uint64_t>(Aligned(at - begin + fixed + *bytes),
                                    buffer_->size());
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> RowsJob::WriteRows(
    const RowsPart& part, uint32_t first, uint32_t last, const Place& place,
    layout::Damage* damage, WorkerScratch* scratch, Measured* measured) {
  const rows::RowsShape& shape = room_.shape;
  const uint32_t n = part.step.rows;
  const auto column = [&](uint64_t begin) {
    return reinterpret_cast<int64_t*>(place.batch + begin) + first;
  };
  const ThreadUsage start = ThreadUsage::Now();
  const absl::Span<int64_t> indices =
      absl::MakeSpan(column(shape.Index(n)), last - first);
  std::vector<uint64_t> occurrences(shape.occurrences ? last - first : 0);
  part.source.Resolve(*recipe_->sampled, first, indices,
                      absl::MakeSpan(occurrences));
  uint64_t columns = 0;
  for (const layout::Field field : recipe_->layout.fields()) {
    if (!layout::IsColumn(field)) continue;
    FillColumn(*recipe_, field, indices, column(8 * columns++ * n));
  }
  uint8_t* const valid = place.batch + shape.Valid(n);
  for (uint32_t row = first; row < last; ++row) {
    valid[row] = row < part.step.valid_rows ? 1 : 0;
  }
  if (shape.occurrences) {
    std::memcpy(place.batch + shape.Occurrences(n) + 8 * uint64_t{first},
                occurrences.data(), 8 * occurrences.size());
  }
  store::DrawingReader* const reader = scratch->ReaderOf(*recipe_->store);
  reader->Find(indices);
  const ThreadUsage found = ThreadUsage::Now();
  // Of several parts, as if all had been found before the first was worked on.
  measured->found.wall_nanos += found.wall_nanos - start.wall_nanos;
  measured->found.cpu_nanos += found.cpu_nanos - start.cpu_nanos;
  measured->found.major_faults += found.major_faults - start.major_faults;

  uint8_t* const lengths = place.batch + shape.Lengths(n);
  uint8_t* at = place.strokes;
  uint64_t bytes = 0;
  std::vector<uint8_t>* const spare = scratch->encoded();
  ReadDrawing drawing;
  const Clock::time_point began = Clock::now();
  Clock::duration decoding{};
  for (uint32_t row = first; row < last; ++row) {
    const bool timed = row % kTimedEvery == 0;
    const Clock::time_point asked = timed ? Clock::now() : began;
    absl::Status read = drawing.Read(reader, row - first);
    if (timed) decoding += kTimedEvery * (Clock::now() - asked);
    uint32_t length = 0;
    if (!read.ok()) {
      if (!damage->Skips(read)) return read;
      valid[row] = 0;
    } else if (drawing.MostBytes() <= static_cast<uint64_t>(place.end - at)) {
      length = drawing.Encode(at);
    } else {
      // Near the end of the room, or beyond it.
      spare->resize(drawing.MostBytes());
      length = drawing.Encode(spare->data());
      if (length <= static_cast<uint64_t>(place.end - at)) {
        std::memcpy(at, spare->data(), length);
      } else {
        at = place.end;  // only counted from here on
      }
    }
    std::memcpy(lengths + 4 * uint64_t{row}, &length, sizeof(length));
    bytes += length;
    at += std::min<uint64_t>(length, place.end - at);
  }
  const double decoded = SecondsOf(decoding);
  measured->decoding += decoded;
  measured->packing += std::max(0.0, SecondsOf(Clock::now() - began) - decoded);
  return bytes;
}

void RowsJob::Complete() {
  if (pieces() == 1) return;
  uint8_t* const begin = buffer_->data();
  uint8_t* from = begin + room_.shape.Strokes(rows_);
  uint8_t* to = from;
  for (uint32_t p = 0; p < pieces(); ++p) {
    const uint32_t rows =
        std::min(room_.rows_a_piece, rows_ - p * room_.rows_a_piece);
    if (strokes_bytes_[p] > room_.StrokesBytes(p, rows)) return;  // not fitted
  }
  for (uint32_t p = 0; p < pieces(); ++p) {
    std::memmove(to, from, strokes_bytes_[p]);
    to += strokes_bytes_[p];
    from += room_.StrokesBytes(p, room_.rows_a_piece);
  }
  AddBatch(parts_.front(), 0, to - begin, damage_);
}

void RowsJob::AddBatch(const RowsPart& part, uint64_t offset,
                       uint64_t wire_size, const layout::Damage& damage) {
  FinishedBatch& batch = batches_.emplace_back();
  batch.sequence = part.sequence;
  batch.epoch = part.step.epoch;
  batch.step = part.step.number;
  batch.after = part.step.after;
  batch.rows = part.step.rows;
  batch.bad = damage.rows();
  batch.damage = damage.first();
  batch.byte_size = recipe_->layout.Bytes(part.step.rows);
  batch.buffer = buffer_;
  batch.offset = offset;
  batch.wire_size = wire_size;
  batch.rows_form = {room_.shape.occurrences,
                     rows::ChecksumOf({buffer_->data() + offset, wire_size})};
}

}  // namespace inkstream::batch

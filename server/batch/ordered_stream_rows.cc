// What of OrderedStream is about batches that travel as rows.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "server/batch/ordered_stream.h"

namespace inkstream::batch {
namespace {

constexpr uint64_t kRowsAhead = 1U << 20U;  // bytes
constexpr uint32_t kMostRowsCredits = 256;
// Of rows, what one worker finds at a time where the store is slow, so that
// several wait for it side by side.
constexpr uint32_t kSlowRowsAPiece = 64;

}  // namespace

RowsWindow RowsWindowOf(const rows::RowsShape& shape, uint32_t batch_size,
                        uint32_t least) {
  const auto strokes =
      static_cast<uint64_t>(RowsRoom::kUsualRowBytes * batch_size);
  const auto credits = static_cast<uint32_t>(
      std::clamp<uint64_t>(kRowsAhead / (shape.Strokes(batch_size) + strokes),
                           least, std::max(least, kMostRowsCredits)));
  const RowsRoom usual = {shape, batch_size, RowsRoom::kUsualRowBytes, {}};
  const uint64_t batch = usual.Bytes(batch_size, 1);
  return {credits,
          std::max(batch, std::min(RowsJob::kRunBytes, batch * credits))};
}

// What is behind these batches has memory that the rest of them may need, so
// it is given up as well. It is rare: drawings of a stream are much alike.
size_t OrderedStream::Rewind(const std::shared_ptr<Slot>& slot) {
  const RowsJob& job = *slot->rows;
  const auto found = std::find(slots_.begin(), slots_.end(), slot);
  if (found == slots_.end()) return 0;
  const bool none = slot->ready.empty();
  slot->batches = static_cast<uint32_t>(slot->ready.size());
  for (auto behind = found + 1; behind != slots_.end(); ++behind) {
    (*behind)->dropped = true;
    (*behind)->job->Cancel();
  }
  slots_.erase(none ? found : found + 1, slots_.end());
  const RowsPart& rest = job.parts()[slot->ready.size()];
  next_step_ = rest.step;
  walker_ = *rest.after;
  started_ = rest.sequence;
  room_.reset();
  if (none) {
    room_ = job.room();
    room_->exact = job.exact();
  }
  return StartBatches();
}

size_t OrderedStream::StartRows(std::shared_ptr<Buffer> buffer) {
  const RowsRoom room = Room();
  const uint32_t most = RunLength();
  std::vector<RowsPart> parts;
  uint32_t rows = 0;
  while (next_step_.has_value() && parts.size() < most) {
    const auto batches = static_cast<uint32_t>(parts.size()) + 1;
    if (room.Bytes(rows + next_step_->rows, batches) > buffer->size()) break;
    rows += next_step_->rows;
    parts.push_back({started_++, *next_step_, walker_, RowsOf(*next_step_)});
    PickNextStep();
  }
  if (parts.empty()) return 0;
  auto slot = std::make_shared<Slot>();
  slot->batches = static_cast<uint32_t>(parts.size());
  auto job = std::make_unique<RowsJob>(parts_.recipe, room, std::move(parts),
                                       std::move(buffer));
  slot->rows = job.get();
  slot->job = std::move(job);
  return Add(std::move(slot));
}

RowsRoom OrderedStream::Room() const {
  if (room_.has_value()) return *room_;
  const auto rows =
      static_cast<uint32_t>(static_cast<double>(RowsJob::kRunBytes) /
                            (row_bytes_ + 8.0 * parts_.rows->columns));
  return {*parts_.rows,
          slow_store_ ? kSlowRowsAPiece : std::max(kSlowRowsAPiece, rows),
          row_bytes_,
          {}};
}

// As tensors where rows would be longer: nothing takes more than its tensors.
bool OrderedStream::NextIsRows() const {
  return parts_.rows.has_value() &&
         Room().Bytes(next_step_->rows, 1) <=
             parts_.recipe->layout.Bytes(next_step_->rows) +
                 rows::kMostBeyondTensors;
}

uint64_t OrderedStream::NextBytes() const {
  const uint32_t rows = next_step_->rows;
  if (!NextIsRows()) return parts_.recipe->layout.Bytes(rows);
  const uint32_t batches = RunLength();
  return Room().Bytes(rows * batches, batches);
}

// How many batches are begun together: those there are credits for, up to a
// message's worth. One, while it is not known how long drawings are, or where
// the store is slow, so that workers wait for it side by side.
uint32_t OrderedStream::RunLength() const {
  if (room_.has_value() || !measured_ || slow_store_) return 1;
  const RowsRoom room = Room();
  const uint32_t most = credits_ - Ahead();
  const uint64_t bytes =
      std::min<uint64_t>(RowsJob::kRunBytes, memory_->largest());
  uint32_t batches = 1;
  while (batches < most &&
         room.Bytes(next_step_->rows * (batches + 1), batches + 1) <= bytes) {
    ++batches;
  }
  return batches;
}

}  // namespace inkstream::batch

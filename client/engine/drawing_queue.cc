#include "client/engine/drawing_queue.h"

#include <system_error>

#include "client/engine/signal.h"
#include "server/raster/draw/capsule_rasterizer.h"
#include "server/raster/tensor/image_spec_check.h"

namespace inkstream::engine {
namespace {

// Not Rasterizer::Create(), which would bring Cairo into every client.
absl::StatusOr<std::unique_ptr<raster::Rasterizer>> MakeRasterizer(
    const ImageSpec& spec, uint32_t max_side) {
  absl::Status status =
      raster::CheckImageSpec(spec, max_side, /*has_times=*/true);
  if (!status.ok()) return status;
  return std::make_unique<raster::CapsuleRasterizer>(spec);
}

// Pieces of a batch that its reader draws as well: two milliseconds. Of more he
// has others draw, whatever they are at.
constexpr uint32_t kMostOwnPieces = 16;

layout::DrawingTools* ToolsOfThisThread() {
  thread_local layout::DrawingTools tools(MakeRasterizer);
  return &tools;
}

}  // namespace

void DrawNow(std::shared_ptr<RowsWork> work, TurnPool* pool) {
  const uint32_t pieces = work->pieces();
  const auto drawn = std::make_shared<Signal>();
  const auto queue = std::make_shared<DrawingQueue>([drawn] { drawn->Set(); });
  queue->Add(work);
  try {
    if (pieces > kMostOwnPieces || (pieces > 1 && pool->HasIdle())) {
      pool->Add(queue, pieces - 1);
    }
  } catch (const std::system_error&) {
    // There is no thread but this one.
  }
  while (queue->DrawNext()) {
  }
  while (!work->done()) drawn->Wait(/*seconds=*/1);
}

RowsWork::RowsWork(std::shared_ptr<const RowsPlan> plan,
                   std::vector<uint8_t> bytes, rows::RowsView view,
                   uint64_t epoch, std::shared_ptr<uint8_t> memory)
    : plan_(std::move(plan)),
      bytes_(std::move(bytes)),
      memory_(std::move(memory)),
      batch_(plan_->recipe(), std::move(view), epoch, plan_->whence(),
             memory_.get()),
      unfinished_(batch_.pieces()) {}

bool RowsWork::DrawPiece(uint32_t piece) {
  if (!failed_.load(std::memory_order_relaxed)) {
    absl::Status drawn = batch_.DrawPiece(piece, ToolsOfThisThread());
    if (!drawn.ok()) {
      const std::lock_guard<std::mutex> lock(mu_);
      if (status_.ok()) status_ = std::move(drawn);
      failed_.store(true, std::memory_order_relaxed);
    }
  }
  if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  if (!failed_.load(std::memory_order_relaxed)) batch_.Join();
  done_.store(true, std::memory_order_release);
  return true;
}

void DrawingQueue::Add(std::shared_ptr<RowsWork> work) {
  const std::lock_guard<std::mutex> lock(mu_);
  waiting_.push_back(std::move(work));
}

void DrawingQueue::Drop() {
  std::deque<std::shared_ptr<RowsWork>> dropped;
  const std::lock_guard<std::mutex> lock(mu_);
  dropped.swap(waiting_);
  next_piece_ = 0;
}

bool DrawingQueue::DrawNext() {
  std::shared_ptr<RowsWork> work;
  uint32_t piece = 0;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (waiting_.empty()) return false;
    work = waiting_.front();
    piece = next_piece_++;
    if (next_piece_ == work->pieces()) {
      waiting_.pop_front();
      next_piece_ = 0;
    }
  }
  if (work->DrawPiece(piece)) drawn_();
  return true;
}

}  // namespace inkstream::engine

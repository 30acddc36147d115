#include "client/engine/drawing_queue.h"

#include <condition_variable>
#include <system_error>

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

// One batch, by whoever takes its next piece.
class SharedDrawing final : public TurnSource {
 public:
  explicit SharedDrawing(std::shared_ptr<RowsWork> work)
      : work_(std::move(work)) {}

  void TakeTurn() override { DrawNext(); }

  // False: all pieces have begun.
  bool DrawNext() {
    const uint32_t piece = next_.fetch_add(1);
    if (piece >= work_->pieces()) return false;
    if (work_->DrawPiece(piece, ToolsOfThisThread())) {
      const std::lock_guard<std::mutex> lock(mu_);
      done_.notify_all();
    }
    return true;
  }

  void Wait() {
    std::unique_lock<std::mutex> lock(mu_);
    done_.wait(lock, [this] { return work_->done(); });
  }

 private:
  const std::shared_ptr<RowsWork> work_;
  std::atomic<uint32_t> next_{0};
  std::mutex mu_;  // of done_
  std::condition_variable done_;
};

}  // namespace

layout::DrawingTools* ToolsOfThisThread() {
  thread_local layout::DrawingTools tools(MakeRasterizer);
  return &tools;
}

void DrawNow(std::shared_ptr<RowsWork> work, TurnPool* pool) {
  const uint32_t pieces = work->pieces();
  const auto drawing = std::make_shared<SharedDrawing>(std::move(work));
  try {
    if (pieces > kMostOwnPieces || (pieces > 1 && pool->HasIdle())) {
      pool->Add(drawing, pieces - 1);
    }
  } catch (const std::system_error&) {
    // There is no thread but this one.
  }
  while (drawing->DrawNext()) {
  }
  drawing->Wait();
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

bool RowsWork::DrawPiece(uint32_t piece, layout::DrawingTools* tools) {
  if (!failed_.load(std::memory_order_relaxed)) {
    absl::Status drawn = batch_.DrawPiece(piece, tools);
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

void DrawingQueue::TakeTurn() {
  std::shared_ptr<RowsWork> work;
  uint32_t piece = 0;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (waiting_.empty()) return;  // dropped
    work = waiting_.front();
    piece = next_piece_++;
    if (next_piece_ == work->pieces()) {
      waiting_.pop_front();
      next_piece_ = 0;
    }
  }
  if (work->DrawPiece(piece, ToolsOfThisThread())) drawn_();
}

}  // namespace inkstream::engine

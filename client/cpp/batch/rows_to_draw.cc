#include "client/cpp/batch/rows_to_draw.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "server/raster/draw/rasterizer.h"

namespace inkstream::client {

void SayWhoDraws(v1::Delivery* delivery) {
  delivery->set_raster_version(raster::kRasterVersion);
}

bool HaveTheServerDraw(const absl::Status& refused, v1::Delivery* delivery) {
  if (!absl::IsInvalidArgument(refused) ||
      !absl::StartsWith(refused.message(), "delivery.codec") ||
      delivery->codec() != v1::CODEC_STROKES) {
    return false;
  }
  delivery->set_codec(v1::CODEC_NONE);
  return true;
}

absl::StatusOr<std::shared_ptr<AgreedRows>> AgreeOnRows(
    const absl::StatusOr<engine::AskedBatches>& asked,
    const v1::StreamOpened& opened, const std::string& target, int threads) {
  if (opened.codec() != v1::CODEC_STROKES) return nullptr;
  if (!asked.ok()) return asked.status();
  auto plan = engine::RowsPlan::Create(*asked, opened, target, threads);
  if (!plan.ok()) return plan.status();
  auto agreed = std::make_shared<AgreedRows>();
  agreed->plan = *std::move(plan);
  return agreed;
}

engine::BatchAssembler AssemblerFor(
    const absl::StatusOr<engine::AskedBatches>& asked, BatchBuffers* buffers,
    uint64_t max_batch_bytes) {
  uint64_t most = max_batch_bytes;
  if (asked.ok()) {  // else the server says why
    const absl::StatusOr<uint64_t> bytes = asked->MostBytes();
    if (bytes.ok()) most = std::min(most, *bytes);
  }
  return engine::BatchAssembler(
      [buffers](uint64_t bytes) { return buffers->Acquire(bytes); }, most);
}

RowsToDraw::RowsToDraw(std::shared_ptr<AgreedRows> agreed,
                       ReceivedBatch received)
    : agreed_(std::move(agreed)), received_(std::move(received)) {}

bool RowsToDraw::Prepare(BatchBuffers* buffers) {
  absl::StatusOr<std::shared_ptr<uint8_t>> memory = buffers->Acquire(bytes());
  if (!memory.ok()) {
    status_ = memory.status();
    return false;
  }
  received_.bytes = *memory;
  work_ = std::make_shared<engine::RowsWork>(
      agreed_->plan, std::move(received_.kept), *std::move(received_.rows),
      received_.header.epoch(), *std::move(memory));
  return true;
}

size_t RowsToDraw::Begin(BatchBuffers* buffers, engine::DrawingQueue* queue) {
  if (!Prepare(buffers)) return 0;
  queue->Add(work_);
  return work_->pieces();
}

absl::StatusOr<ReceivedBatch> RowsToDraw::DrawNow(BatchBuffers* buffers,
                                                  TurnPool* pool) {
  if (Prepare(buffers)) engine::DrawNow(work_, pool);
  return Take();
}

absl::StatusOr<ReceivedBatch> RowsToDraw::Take() {
  if (!status_.ok()) return status_;
  if (!work_->status().ok()) return work_->status();
  const layout::RowsBatch& drawn = work_->batch();
  absl::Status status =
      agreed_->damage.Add(*agreed_->plan, drawn.damage(), &received_.header);
  if (!status.ok()) return status;
  agreed_->plan->Describe(drawn.tensors(), &received_.header);
  received_.rows.reset();
  return std::move(received_);
}

}  // namespace inkstream::client

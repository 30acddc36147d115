#include "client/cpp/batch/rows_reader.h"

#include "server/layout/rows_batch.h"
#include "server/raster/draw/capsule_rasterizer.h"
#include "server/raster/tensor/image_spec_check.h"

namespace inkstream::client {
namespace {

// Not Rasterizer::Create(), which would bring Cairo into every client.
absl::StatusOr<std::unique_ptr<raster::Rasterizer>> MakeRasterizer(
    const ImageSpec& spec, uint32_t max_side) {
  absl::Status status =
      raster::CheckImageSpec(spec, max_side, /*has_times=*/true);
  if (!status.ok()) return status;
  return std::make_unique<raster::CapsuleRasterizer>(spec);
}

}  // namespace

void SayWhoDraws(v1::StreamBatchesRequest* opening) {
  opening->mutable_open()->mutable_delivery()->set_raster_version(
      raster::kRasterVersion);
}

absl::StatusOr<std::unique_ptr<RowsReader>> RowsReader::Create(
    const v1::StreamBatchesRequest& opening, const v1::StreamOpened& opened,
    const std::string& target) {
  absl::StatusOr<std::shared_ptr<const engine::RowsPlan>> plan =
      engine::RowsPlan::Create(opening, opened, target, /*threads=*/1);
  if (!plan.ok()) return plan.status();
  std::unique_ptr<RowsReader> reader(new RowsReader(*std::move(plan)));
  // Says now what cannot be drawn.
  absl::Status status = reader->tools_.Of(reader->plan_->recipe()).status();
  if (!status.ok()) return status;
  return reader;
}

RowsReader::RowsReader(std::shared_ptr<const engine::RowsPlan> plan)
    : plan_(std::move(plan)), tools_(MakeRasterizer) {}

absl::StatusOr<ReceivedBatch> RowsReader::Draw(const v1::BatchHeader& header,
                                               absl::Span<const uint8_t> rows,
                                               BatchBuffers* buffers) {
  absl::StatusOr<rows::RowsView> view = plan_->Parse(header, rows);
  if (!view.ok()) return view.status();
  absl::StatusOr<std::shared_ptr<uint8_t>> bytes =
      buffers->Acquire(plan_->BatchBytes(header));
  if (!bytes.ok()) return bytes.status();
  layout::RowsBatch batch(plan_->recipe(), *std::move(view), header.epoch(),
                          plan_->whence(), bytes->get());
  for (uint32_t piece = 0; piece < batch.pieces(); ++piece) {
    absl::Status drawn = batch.DrawPiece(piece, &tools_);
    if (!drawn.ok()) return drawn;
  }
  batch.Join();
  ReceivedBatch received = {header, *std::move(bytes)};
  absl::Status status = damage_.Add(*plan_, batch.damage(), &received.header);
  if (!status.ok()) return status;
  plan_->Describe(batch.tensors(), &received.header);
  return received;
}

}  // namespace inkstream::client

// Any bytes as what a server sends of a batch of rows: as a message, and as the
// rows of a header whose checksum is right. Whatever comes, the client refuses
// it or lays out a batch of what it asked for.
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>
#include <inkstream/v1/service.pb.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/rows_to_draw.h"
#include "client/cpp/call/raw_call.h"
#include "server/raster/draw/rasterizer.h"

namespace inkstream::client {
namespace {

constexpr uint32_t kRows = 5;

std::shared_ptr<AgreedRows> NewPlan(bool ragged) {
  v1::StreamBatchesRequest request;
  v1::Delivery* const delivery = request.mutable_open()->mutable_delivery();
  delivery->mutable_image()->set_height(8);
  delivery->add_columns("label");
  delivery->set_batch_size(kRows);
  delivery->set_on_corrupt(v1::Delivery::ON_CORRUPT_SKIP);
  delivery->mutable_augment()->mutable_rotation()->set_high(20);
  delivery->mutable_strokes()->set_max_len(6);
  delivery->mutable_strokes()->set_ragged(ragged);
  v1::StreamOpened opened;
  opened.set_raster_version(raster::kRasterVersion);
  auto plan = engine::RowsPlan::Create(*engine::AskedBy(request), opened,
                                       "fuzz", /*threads=*/1);
  if (!plan.ok()) __builtin_trap();
  auto agreed = std::make_shared<AgreedRows>();
  agreed->plan = *std::move(plan);
  return agreed;
}

void CheckBatch(const ReceivedBatch& batch) {
  for (const v1::Tensor& tensor : batch.header.tensors()) {
    if (tensor.offset() + tensor.length() > batch.header.byte_size()) {
      __builtin_trap();
    }
  }
}

void Draw(const std::shared_ptr<AgreedRows>& agreed, ReceivedBatch received,
          BatchBuffers* buffers) {
  if (!received.rows.has_value()) return CheckBatch(received);
  RowsToDraw rows(agreed, std::move(received));
  engine::DrawingQueue queue([] {});
  for (size_t left = rows.Begin(buffers, &queue); left > 0; --left) {
    queue.TakeTurn();
  }
  const auto batch = rows.Take();
  if (batch.ok()) CheckBatch(*batch);
}

void AsRows(const uint8_t* data, size_t size,
            const std::shared_ptr<AgreedRows>& agreed, BatchBuffers* buffers) {
  v1::BatchHeader header;
  header.mutable_rows()->set_count(1 + data[0] % kRows);
  header.mutable_rows()->set_occurrences(data[0] >= 128);
  header.set_wire_size(size - 1);
  header.mutable_rows()->set_checksum(rows::ChecksumOf({data + 1, size - 1}));
  if (!agreed->plan->Check(header).ok()) return;
  ReceivedBatch received = {header, nullptr, {data + 1, data + size}, {}};
  auto rows = agreed->plan->Parse(header, received.kept);
  if (!rows.ok()) return;
  received.rows = *std::move(rows);
  Draw(agreed, std::move(received), buffers);
}

void AsMessage(const uint8_t* data, size_t size,
               const std::shared_ptr<AgreedRows>& agreed,
               BatchBuffers* buffers) {
  const grpc::Slice slice(data, size);
  grpc::ByteBuffer message(&slice, 1);
  const auto part = ReadPart(&message);
  if (!part.ok()) return;
  engine::BatchAssembler assembler =
      AssemblerFor(absl::InvalidArgumentError("unknown"), buffers, 1U << 16U);
  assembler.TakeRows(agreed->plan);
  const auto draw = [&](ReceivedBatch batch) {
    Draw(agreed, std::move(batch), buffers);
    return absl::OkStatus();
  };
  assembler.Add(*part, draw).IgnoreError();
}

void Fuzz(const uint8_t* data, size_t size) {
  static BatchBuffers* const buffers = new BatchBuffers(2);
  for (const bool ragged : {false, true}) {
    const std::shared_ptr<AgreedRows> agreed = NewPlan(ragged);
    AsMessage(data, size, agreed, buffers);
    if (size > 1) AsRows(data, size, agreed, buffers);
  }
}

}  // namespace
}  // namespace inkstream::client

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  inkstream::client::Fuzz(data, size);
  return 0;
}

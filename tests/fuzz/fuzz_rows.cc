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

#include "client/cpp/batch/batch_assembler.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/rows_reader.h"
#include "client/cpp/call/part_parser.h"
#include "server/raster/draw/rasterizer.h"

namespace inkstream::client {
namespace {

constexpr uint32_t kRows = 5;

std::unique_ptr<RowsReader> NewReader(bool ragged) {
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
  auto reader = RowsReader::Create(request, opened, "fuzz");
  if (!reader.ok()) __builtin_trap();
  return *std::move(reader);
}

void CheckBatch(const ReceivedBatch& batch) {
  for (const v1::Tensor& tensor : batch.header.tensors()) {
    if (tensor.offset() + tensor.length() > batch.header.byte_size()) {
      __builtin_trap();
    }
  }
}

void AsRows(const uint8_t* data, size_t size, RowsReader* reader,
            BatchBuffers* buffers) {
  v1::BatchHeader header;
  header.mutable_rows()->set_count(1 + data[0] % kRows);
  header.mutable_rows()->set_occurrences(data[0] >= 128);
  header.set_wire_size(size - 1);
  header.mutable_rows()->set_checksum(rows::ChecksumOf({data + 1, size - 1}));
  if (!reader->Check(header).ok()) return;
  const auto batch = reader->Draw(header, {data + 1, size - 1}, buffers);
  if (batch.ok()) CheckBatch(*batch);
}

void AsMessage(const uint8_t* data, size_t size, RowsReader* reader,
               BatchBuffers* buffers) {
  const grpc::Slice slice(data, size);
  auto part = ParseBatchPart(grpc::ByteBuffer(&slice, 1));
  if (!part.ok()) return;
  BatchAssembler assembler(buffers, 1U << 16U);
  assembler.DrawRows(reader);
  std::vector<ReceivedBatch> batches;
  assembler.Add(*std::move(part), &batches).IgnoreError();
  for (const ReceivedBatch& batch : batches) CheckBatch(batch);
}

void Fuzz(const uint8_t* data, size_t size) {
  static BatchBuffers* const buffers = new BatchBuffers(2);
  for (const bool ragged : {false, true}) {
    const std::unique_ptr<RowsReader> reader = NewReader(ragged);
    AsMessage(data, size, reader.get(), buffers);
    if (size > 1) AsRows(data, size, reader.get(), buffers);
  }
}

}  // namespace
}  // namespace inkstream::client

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  inkstream::client::Fuzz(data, size);
  return 0;
}

// Any bytes as what is fed to the library: as a message, and as the rows of a
// message whose checksum is right. Whatever comes is refused, or is a batch of
// what was asked for, in the memory that was offered.
#include <inkstream/v1/service.pb.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "inkstream/engine.h"
#include "server/rows/rows_form.h"

namespace inkstream {
namespace {

constexpr uint32_t kRows = 5;
constexpr size_t kMemory = 64U << 10U;
constexpr size_t kBehind = 64;  // bytes that nobody may write to

// What is asked for: by a stream, or by a fetch.
enum class Asked : uint8_t { kStream, kFetch };

v1::Delivery DeliveryOf(bool ragged) {
  v1::Delivery delivery;
  delivery.mutable_image()->set_height(8);
  delivery.add_columns("label");
  delivery.set_batch_size(kRows);
  delivery.set_on_corrupt(v1::Delivery::ON_CORRUPT_SKIP);
  delivery.mutable_augment()->mutable_rotation()->set_high(20);
  delivery.mutable_strokes()->set_max_len(6);
  delivery.mutable_strokes()->set_ragged(ragged);
  return delivery;
}

std::string Request(Asked asked, bool ragged) {
  if (asked == Asked::kStream) {
    v1::StreamBatchesRequest request;
    *request.mutable_open()->mutable_delivery() = DeliveryOf(ragged);
    return request.SerializeAsString();
  }
  v1::FetchDrawingsRequest request;
  *request.mutable_delivery() = DeliveryOf(ragged);
  for (uint32_t i = 0; i < kRows; ++i) request.add_index(i);
  return request.SerializeAsString();
}

ik_stream* Receive(Asked asked, bool ragged, bool rows) {
  v1::BatchPart first;
  first.mutable_opened()->set_raster_version(ik_raster_version());
  first.mutable_opened()->set_codec(rows ? v1::CODEC_STROKES : v1::CODEC_NONE);
  const std::string request = Request(asked, ragged);
  const std::string message = first.SerializeAsString();
  ik_receive_options options = {};
  options.struct_size = sizeof(options);
  options.kind = asked == Asked::kFetch ? IK_FETCH_DRAWINGS : IK_STREAM_BATCHES;
  options.request = reinterpret_cast<const uint8_t*>(request.data());
  options.request_size = request.size();
  options.first = reinterpret_cast<const uint8_t*>(message.data());
  options.first_size = message.size();
  options.threads = 1;
  ik_stream* stream = nullptr;
  if (ik_stream_receive(&options, &stream) != nullptr) __builtin_trap();
  return stream;
}

void CheckBatch(const ik_batch& batch) {
  if (batch.size > kMemory || batch.token != 0) __builtin_trap();
}

void Feed(ik_stream* stream, const uint8_t* message, size_t size) {
  alignas(64) static uint8_t memory[kMemory + kBehind];
  if (ik_stream_batch_bytes(stream) > kMemory) __builtin_trap();
  std::memset(memory + kMemory, 0x5A, kBehind);
  ik_error_free(ik_stream_offer(stream, 0, memory, kMemory));
  uint32_t batches = 0;
  ik_error_free(ik_stream_feed(stream, message, size, &batches));
  ik_stream_finish(stream);
  for (;;) {
    ik_batch batch;
    ik_error* const error =
        ik_stream_next(stream, batches > 0 ? 10 : 0, &batch);
    ik_error_free(error);
    if (error != nullptr || batch.kind != IK_BATCH) break;
    CheckBatch(batch);
    ik_error_free(ik_stream_offer(stream, 0, memory, kMemory));
  }
  ik_stream_close(stream);
  for (size_t i = kMemory; i < kMemory + kBehind; ++i) {
    if (memory[i] != 0x5A) __builtin_trap();
  }
}

// Bytes that claim to be what they are: those of so many rows.
std::string AsRows(const uint8_t* data, size_t size) {
  v1::BatchPart part;
  v1::BatchHeader* const header = part.add_batches();
  header->mutable_rows()->set_count(1 + data[0] % kRows);
  header->mutable_rows()->set_occurrences(data[0] >= 128);
  header->set_wire_size(size - 1);
  header->mutable_rows()->set_checksum(rows::ChecksumOf({data + 1, size - 1}));
  header->set_part_count(1);
  part.set_data(data + 1, size - 1);
  return part.SerializeAsString();
}

void Fuzz(const uint8_t* data, size_t size) {
  // The threads that draw end with the last stream.
  static ik_stream* const keeps_threads = Receive(Asked::kStream, false, true);
  if (keeps_threads == nullptr) __builtin_trap();
  for (const Asked asked : {Asked::kStream, Asked::kFetch}) {
    for (const bool ragged : {false, true}) {
      Feed(Receive(asked, ragged, /*rows=*/true), data, size);
      Feed(Receive(asked, ragged, /*rows=*/false), data, size);
      if (size < 2) continue;
      const std::string rows = AsRows(data, size);
      Feed(Receive(asked, ragged, /*rows=*/true),
           reinterpret_cast<const uint8_t*>(rows.data()), rows.size());
    }
  }
}

}  // namespace
}  // namespace inkstream

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  inkstream::Fuzz(data, size);
  return 0;
}

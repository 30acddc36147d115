// Any bytes as a packed batch: its header, the chunk table among it, then what
// came over the wire. Whatever a server sends, the client refuses it or fills
// the batch's own memory, and claims no more than was asked for.
#include <inkstream/v1/service.pb.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "client/cpp/batch/batch_unpacker.h"

namespace inkstream::client {
namespace {

constexpr uint32_t kRows = 4;
constexpr uint32_t kSide = 8;
constexpr uint64_t kImage = uint64_t{kRows} * kSide * kSide;
constexpr uint64_t kBytes = kImage + 64;

// A header that is sound but for its chunks: three bytes of `data` each.
v1::BatchHeader TakeHeader(const uint8_t** data, const uint8_t* end) {
  v1::BatchHeader header;
  v1::Tensor* const image = header.add_tensors();
  image->set_name("image");
  image->set_length(kImage);
  v1::Tensor* const index = header.add_tensors();
  index->set_name("index");
  index->set_dtype(v1::DTYPE_INT64);
  index->set_offset(kImage);
  index->set_length(kRows * sizeof(int64_t));
  header.set_byte_size(kBytes);
  uint64_t bytes = 0;
  while (end - *data > 3 && bytes < kBytes) {
    const uint8_t* const at = *data;
    v1::Chunk* const chunk = header.add_chunks();
    const uint32_t size =
        at[0] < kRows ? (1U + at[0]) * kSide * kSide : uint32_t{at[0]};
    chunk->set_bytes(
        static_cast<uint32_t>(std::min<uint64_t>(size, kBytes - bytes)));
    bytes += chunk->bytes();
    chunk->set_wire_bytes(at[1]);
    if (at[2] % 4 == 2) chunk->set_sparse_bytes(at[2]);
    header.set_wire_size(header.wire_size() + chunk->wire_bytes());
    *data += 3;
  }
  return header;
}

void Fuzz(const uint8_t* data, size_t size) {
  const uint8_t* const end = data + size;
  static BatchUnpacker* const unpacker = new BatchUnpacker();
  const v1::BatchHeader header = TakeHeader(&data, end);
  if (!unpacker->Check(header).ok()) return;
  uint8_t* const wire = unpacker->WireBytes(header.wire_size());
  for (uint64_t i = 0; i < header.wire_size(); ++i) {
    wire[i] = data == end ? 0 : *data++;
  }
  alignas(64) static uint8_t out[kBytes + 64];
  std::memset(out, 0x5A, sizeof(out));
  unpacker->Unpack(header, out).IgnoreError();
  for (uint64_t i = kBytes; i < sizeof(out); ++i) {
    if (out[i] != 0x5A) __builtin_trap();
  }
}

}  // namespace
}  // namespace inkstream::client

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  inkstream::client::Fuzz(data, size);
  return 0;
}

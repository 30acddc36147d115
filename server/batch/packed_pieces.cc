#include "server/batch/packed_pieces.h"

#include <algorithm>
#include <cstring>

namespace inkstream::batch {

void PackedPieces::Pack(uint32_t piece, uint8_t* bytes, uint64_t begin,
                        uint64_t end) {
  while (begin < end) {
    const uint64_t size = std::min<uint64_t>(end - begin, kMaxChunkBytes);
    runs_[piece].push_back({begin, packer_->Pack(bytes + begin, size)});
    begin += size;
  }
}

uint64_t PackedPieces::MaxStrokesBytes(uint64_t begin, uint64_t end) {
  // The length of the run itself must be told in 32 bits, too.
  return end - begin > UINT32_MAX
             ? 0
             : std::min<uint64_t>(end - begin, kMaxChunkBytes);
}

bool PackedPieces::PackStrokes(uint32_t piece,
                               const std::vector<uint8_t>& encoded,
                               uint8_t* bytes, uint64_t begin, uint64_t end) {
  if (encoded.empty() || encoded.size() > MaxStrokesBytes(begin, end)) {
    return false;
  }
  std::memcpy(bytes + begin, encoded.data(), encoded.size());
  const size_t packed = packer_->PackStrokes(bytes + begin, encoded.size());
  runs_[piece].push_back(
      {begin,
       {static_cast<uint32_t>(end - begin), static_cast<uint32_t>(packed),
        static_cast<uint32_t>(encoded.size())}});
  return true;
}

void PackedPieces::Join(uint64_t begin, FinishedBatch* batch) {
  uint8_t* const bytes = batch->buffer->data();
  Pack(static_cast<uint32_t>(runs_.size() - 1), bytes, begin, batch->byte_size);
  batch->wire_size = 0;
  for (const std::vector<Run>& piece : runs_) {
    for (const Run& run : piece) {
      std::memmove(bytes + batch->wire_size, bytes + run.offset,
                   run.chunk.wire_bytes);
      batch->wire_size += run.chunk.wire_bytes;
      batch->chunks.push_back(run.chunk);
    }
  }
}

}  // namespace inkstream::batch

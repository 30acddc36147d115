#include "server/batch/job/packed_pieces.h"

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

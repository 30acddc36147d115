// The runs of one batch, packed where they lie by the workers that laid them
// out, then moved together.
//
// A run never gets longer, so no memory is needed beside the batch's own.
//
// Thread safety: calls for different pieces at once; Join() after all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "server/batch/job/finished_batch.h"
#include "server/batch/job/packer.h"

namespace inkstream::batch {

class PackedPieces {
 public:
  PackedPieces(std::shared_ptr<Packer> packer, uint32_t pieces)
      : packer_(std::move(packer)), runs_(pieces + 1) {}

  // Packs bytes [begin, end) of the batch at `bytes`; a piece's runs come in
  // ascending order.
  void Pack(uint32_t piece, uint8_t* bytes, uint64_t begin, uint64_t end);

  // Packs what lies behind `begin`, moves all runs together and says so in the
  // batch.
  void Join(uint64_t begin, FinishedBatch* batch);

 private:
  struct Run {
    uint64_t offset;  // of what it is packed in
    WireChunk chunk;
  };

  const std::shared_ptr<Packer> packer_;
  std::vector<std::vector<Run>> runs_;  // by piece, and one for the rest
};

}  // namespace inkstream::batch

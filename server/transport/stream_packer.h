// Packs batches under CODEC_ZSTD.
//
// Contexts are kept by thread, so what they take is bounded by the workers'
// number, not by the streams'.
//
// Thread safety: as batch::Packer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "inkstream/plan.h"
#include "server/batch/job/packer.h"

namespace inkstream::transport {

class StreamPacker : public batch::Packer {
 public:
  // Null: nothing is to be packed.
  static std::shared_ptr<StreamPacker> For(Codec codec);
  // What each thread that packs keeps, at most.
  static size_t MemoryOfAThread();

  batch::WireChunk Pack(uint8_t* bytes, size_t size) override;
};

}  // namespace inkstream::transport

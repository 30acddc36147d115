// Packs one stream's batches: the codec that its client asked for, at work.
//
// Contexts are kept by thread, so what they take is bounded by the workers'
// number, not by the streams'.
//
// Thread safety: as batch::Packer; OnSent() from one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "inkstream/plan.h"
#include "server/batch/job/packer.h"
#include "server/transport/codec_chooser.h"

namespace inkstream::transport {

class StreamPacker : public batch::Packer {
 public:
  // Null: nothing is to be packed.
  static std::shared_ptr<StreamPacker> For(Codec codec);
  // What each thread that packs keeps, at most.
  static size_t MemoryOfAThread();

  explicit StreamPacker(Codec codec) : codec_(codec) {}

  bool PacksNext() override { return in_use() == Codec::kZstd; }
  batch::WireChunk Pack(uint8_t* bytes, size_t size) override;

  // What the chooser of Codec::kAuto decides by.
  void OnSent(bool packed, uint32_t batches, uint64_t bytes,
              const WriteProgress& progress) {
    if (codec_ == Codec::kAuto) {
      chooser_.OnSent(packed, batches, bytes, progress);
    }
  }

  // Of the next batch: never kAuto.
  Codec in_use() const;

 private:
  const Codec codec_;
  CodecChooser chooser_;
};

}  // namespace inkstream::transport

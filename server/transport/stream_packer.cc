#include "server/transport/stream_packer.h"

#include "server/transport/codec/chunk_codec.h"
#include "server/transport/codec/stroke_wire.h"

namespace inkstream::transport {
namespace {

ChunkCompressor& OfThisThread() {
  thread_local ChunkCompressor compressor;
  return compressor;
}

}  // namespace

std::shared_ptr<StreamPacker> StreamPacker::For(Codec codec) {
  if (codec == Codec::kNone) return nullptr;
  return std::make_shared<StreamPacker>(codec);
}

size_t StreamPacker::MemoryOfAThread() {
  return ChunkCompressor::MemoryBytes(batch::kMaxChunkBytes);
}

Codec StreamPacker::in_use() const {
  if (codec_ != Codec::kAuto) return codec_;
  return chooser_.packs() ? Codec::kZstd : Codec::kNone;
}

batch::WireForm StreamPacker::NextForm() {
  switch (in_use()) {
    case Codec::kStrokes:
      return batch::WireForm::kStrokes;
    case Codec::kZstd:
      return batch::WireForm::kPacked;
    case Codec::kNone:
    case Codec::kAuto:
      break;
  }
  return batch::WireForm::kRaw;
}

batch::WireChunk StreamPacker::Pack(uint8_t* bytes, size_t size) {
  const ChunkCompressor::Packed packed = OfThisThread().Pack(bytes, size);
  return {static_cast<uint32_t>(size), static_cast<uint32_t>(packed.bytes), 0,
          static_cast<uint32_t>(packed.sparse_bytes)};
}

size_t StreamPacker::PackStrokes(uint8_t* bytes, size_t size) {
  return OfThisThread().Compress(bytes, size);
}

void StreamPacker::AppendStrokes(const StrokesView& drawing,
                                 uint64_t occurrence,
                                 std::vector<uint8_t>* encoded) const {
  transport::AppendStrokes(drawing, occurrence, encoded);
}

}  // namespace inkstream::transport

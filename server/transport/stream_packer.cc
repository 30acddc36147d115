#include "server/transport/stream_packer.h"

#include "server/transport/codec/chunk_codec.h"

namespace inkstream::transport {
namespace {

ChunkCompressor& OfThisThread() {
  thread_local ChunkCompressor compressor;
  return compressor;
}

}  // namespace

std::shared_ptr<StreamPacker> StreamPacker::For(Codec codec) {
  if (codec != Codec::kZstd) return nullptr;
  return std::make_shared<StreamPacker>();
}

size_t StreamPacker::MemoryOfAThread() {
  return ChunkCompressor::MemoryBytes(batch::kMaxChunkBytes);
}

batch::WireChunk StreamPacker::Pack(uint8_t* bytes, size_t size) {
  const ChunkCompressor::Packed packed = OfThisThread().Pack(bytes, size);
  return {static_cast<uint32_t>(size), static_cast<uint32_t>(packed.bytes),
          static_cast<uint32_t>(packed.sparse_bytes)};
}

}  // namespace inkstream::transport

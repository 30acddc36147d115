// Runs of bytes <-> zstd frames, one frame a run, with contexts that are used
// again.
//
// Thread safety: one object a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace inkstream::transport {

class ChunkCompressor {
 public:
  // What one of them takes at most, with runs of `max_bytes`.
  static size_t MemoryBytes(size_t max_bytes);

  ChunkCompressor();
  ~ChunkCompressor();
  ChunkCompressor(const ChunkCompressor&) = delete;
  ChunkCompressor& operator=(const ChunkCompressor&) = delete;

  // Compresses `size` bytes in place; `size` where they get no shorter, and
  // they are then unchanged.
  size_t Compress(uint8_t* bytes, size_t size);

  size_t memory() const;  // bytes it holds now

 private:
  struct Context;
  std::unique_ptr<Context> context_;  // null: the machine had no memory for it
  std::vector<uint8_t> scratch_;
};

class ChunkDecompressor {
 public:
  ChunkDecompressor();
  ~ChunkDecompressor();
  ChunkDecompressor(const ChunkDecompressor&) = delete;
  ChunkDecompressor& operator=(const ChunkDecompressor&) = delete;

  // Fills `out`; `packed` of the same length is a plain copy. INTERNAL: it is
  // no frame of exactly that many bytes.
  absl::Status Decompress(absl::Span<const uint8_t> packed,
                          absl::Span<uint8_t> out);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace inkstream::transport

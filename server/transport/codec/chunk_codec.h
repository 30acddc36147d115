// Runs of bytes <-> zstd frames, one frame a run, with contexts that are used
// again. Before that, a run of mostly ground and ink loses both
// (sparse_words.h).
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

  struct Packed {
    size_t bytes = 0;
    size_t sparse_bytes = 0;  // not 0: words were left out, and so much was
                              // compressed
  };

  // Packs `size` bytes in place; where they get no shorter, `bytes` is `size`
  // and they are unchanged.
  Packed Pack(uint8_t* bytes, size_t size);

  // Without leaving words out; returns `bytes`.
  size_t Compress(uint8_t* bytes, size_t size);

  size_t memory() const;  // bytes it holds now

 private:
  struct Context;
  std::unique_ptr<Context> context_;  // null: the machine had no memory for it
  size_t CompressTo(absl::Span<const uint8_t> from, int level, uint8_t* to,
                    size_t room);

  std::vector<uint8_t> scratch_;
  std::vector<uint8_t> sparse_;
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

  // The same where words were left out. REQUIRES: sparse_bytes <= out.size().
  absl::Status DecompressSparse(absl::Span<const uint8_t> packed,
                                size_t sparse_bytes, absl::Span<uint8_t> out);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  std::vector<uint8_t> sparse_;
};

}  // namespace inkstream::transport

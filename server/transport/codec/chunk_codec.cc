#include "server/transport/codec/chunk_codec.h"

#include <zstd.h>

#include <cstring>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {
namespace {

// README.md has the figures that chose it.
constexpr int kLevel = 1;
// Of a context at that level; a test looks.
constexpr size_t kContextBytes = size_t{1} << 20U;

}  // namespace

struct ChunkCompressor::Context {
  ZSTD_CCtx* const zstd = ZSTD_createCCtx();
  ~Context() { ZSTD_freeCCtx(zstd); }
};

size_t ChunkCompressor::MemoryBytes(size_t max_bytes) {
  return kContextBytes + max_bytes;
}

ChunkCompressor::ChunkCompressor() : context_(std::make_unique<Context>()) {}
ChunkCompressor::~ChunkCompressor() = default;

size_t ChunkCompressor::memory() const {
  return ZSTD_sizeof_CCtx(context_->zstd) + scratch_.capacity();
}

size_t ChunkCompressor::Compress(uint8_t* bytes, size_t size) {
  if (context_->zstd == nullptr) return size;
  // Room for less than it was: zstd gives up where it does not fit.
  if (scratch_.size() < size) scratch_.resize(size);
  const size_t packed = ZSTD_compressCCtx(context_->zstd, scratch_.data(),
                                          size - 1, bytes, size, kLevel);
  if (ZSTD_isError(packed) != 0) return size;
  std::memcpy(bytes, scratch_.data(), packed);
  return packed;
}

struct ChunkDecompressor::Context {
  ZSTD_DCtx* const zstd = ZSTD_createDCtx();
  ~Context() { ZSTD_freeDCtx(zstd); }
};

ChunkDecompressor::ChunkDecompressor()
    : context_(std::make_unique<Context>()) {}
ChunkDecompressor::~ChunkDecompressor() = default;

absl::Status ChunkDecompressor::Decompress(absl::Span<const uint8_t> packed,
                                           absl::Span<uint8_t> out) {
  if (packed.size() == out.size()) {
    if (!out.empty()) std::memcpy(out.data(), packed.data(), out.size());
    return absl::OkStatus();
  }
  if (context_->zstd == nullptr) {
    return absl::ResourceExhaustedError("no memory to decompress batches with");
  }
  const size_t written = ZSTD_decompressDCtx(
      context_->zstd, out.data(), out.size(), packed.data(), packed.size());
  if (ZSTD_isError(written) != 0) {
    return absl::InternalError(
        absl::StrCat(packed.size(), " bytes that stand for ", out.size(),
                     " do not decompress: ", ZSTD_getErrorName(written)));
  }
  if (written != out.size()) {
    return absl::InternalError(
        absl::StrCat("a frame of ", written, " bytes stands for ", out.size()));
  }
  return absl::OkStatus();
}

}  // namespace inkstream::transport

#include "server/transport/codec/chunk_codec.h"

// For the parameter below that has no final name yet.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "server/transport/codec/sparse_words.h"

namespace inkstream::transport {
namespace {

// README.md has the figures that chose them.
constexpr int kLevel = 1;
// Words that sparse_words.h leaves are edges, which hardly repeat: what makes
// them shorter is coding single bytes, so looking for repeats is cut short.
constexpr int kSparseLevel = -30;
// Of a context; a test looks.
constexpr size_t kContextBytes = size_t{1} << 20U;

}  // namespace

struct ChunkCompressor::Context {
  ZSTD_CCtx* const zstd = ZSTD_createCCtx();
  ~Context() { ZSTD_freeCCtx(zstd); }
};

size_t ChunkCompressor::MemoryBytes(size_t max_bytes) {
  return kContextBytes + max_bytes + MaxSparseBytes(max_bytes);
}

ChunkCompressor::ChunkCompressor() : context_(std::make_unique<Context>()) {}
ChunkCompressor::~ChunkCompressor() = default;

size_t ChunkCompressor::memory() const {
  return ZSTD_sizeof_CCtx(context_->zstd) + scratch_.capacity() +
         sparse_.capacity();
}

ChunkCompressor::Packed ChunkCompressor::Pack(uint8_t* bytes, size_t size) {
  const size_t room = MaxSparseBytes(size);
  if (sparse_.size() < room) sparse_.resize(room);
  const size_t sparse = PackSparse({bytes, size}, sparse_.data());
  // Where little is left out, zstd does better with everything in its place.
  if (sparse > size / 8 * 7) return {Compress(bytes, size), 0};
  const size_t packed =
      CompressTo({sparse_.data(), sparse}, kSparseLevel, bytes, sparse - 1);
  if (packed > 0) return {packed, sparse};
  std::memcpy(bytes, sparse_.data(), sparse);
  return {sparse, sparse};
}

size_t ChunkCompressor::Compress(uint8_t* bytes, size_t size) {
  // Room for less than it was: zstd gives up where it does not fit.
  if (scratch_.size() < size) scratch_.resize(size);
  const size_t packed =
      CompressTo({bytes, size}, kLevel, scratch_.data(), size - 1);
  if (packed == 0) return size;
  std::memcpy(bytes, scratch_.data(), packed);
  return packed;
}

// 0: it does not fit, or the machine has no memory.
size_t ChunkCompressor::CompressTo(absl::Span<const uint8_t> from, int level,
                                   uint8_t* to, size_t room) {
  ZSTD_CCtx* const zstd = context_->zstd;
  if (zstd == nullptr) return 0;
  ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
  const size_t coded = ZSTD_CCtx_setParameter(
      zstd, ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
  if (ZSTD_isError(coded) != 0) {
    // A release without it would leave single bytes as they are.
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, kLevel);
  }
  const size_t packed =
      ZSTD_compress2(zstd, to, room, from.data(), from.size());
  return ZSTD_isError(packed) != 0 ? 0 : packed;
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

absl::Status ChunkDecompressor::DecompressSparse(
    absl::Span<const uint8_t> packed, size_t sparse_bytes,
    absl::Span<uint8_t> out) {
  if (sparse_.size() < sparse_bytes) sparse_.resize(sparse_bytes);
  const absl::Span<uint8_t> sparse =
      absl::MakeSpan(sparse_.data(), sparse_bytes);
  absl::Status status = Decompress(packed, sparse);
  if (!status.ok()) return status;
  if (!UnpackSparse(sparse, out)) {
    return absl::InternalError(absl::StrCat(
        sparse_bytes, " sparse bytes do not stand for ", out.size()));
  }
  return absl::OkStatus();
}

}  // namespace inkstream::transport

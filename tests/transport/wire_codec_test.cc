// Runs of bytes come back as they went in; whatever else comes is refused.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "server/batch/job/packer.h"
#include "server/transport/codec/chunk_codec.h"
#include "server/transport/codec/sparse_words.h"
#include "server/transport/stream_packer.h"

namespace inkstream::transport {
namespace {

using Bytes = std::vector<uint8_t>;

// `kinds`: how many of zeros, ones and noise the words are drawn from.
Bytes RandomBytes(size_t size, uint32_t kinds, std::mt19937_64* random) {
  Bytes bytes(size);
  for (size_t i = 0; i < size;) {
    const uint64_t kind = (*random)() % kinds;
    for (size_t end = std::min(size, i + 1 + (*random)() % 40); i < end; ++i) {
      bytes[i] = kind == 0   ? 0
                 : kind == 1 ? 255
                             : static_cast<uint8_t>((*random)());
    }
  }
  return bytes;
}

TEST(SparseWords, EveryRunComesBack) {
  std::mt19937_64 random(1);
  for (size_t size = 0; size < 300; ++size) {
    for (uint32_t kinds = 1; kinds <= 4; ++kinds) {
      const Bytes bytes = RandomBytes(size, kinds, &random);
      Bytes sparse(MaxSparseBytes(size));
      const size_t packed = PackSparse(bytes, sparse.data());
      ASSERT_LE(packed, sparse.size());
      sparse.resize(packed);
      Bytes back(size, 0x5A);
      ASSERT_TRUE(UnpackSparse(sparse, absl::MakeSpan(back))) << size;
      ASSERT_EQ(back, bytes);
    }
  }
}

TEST(SparseWords, AnotherLengthIsRefused) {
  std::mt19937_64 random(2);
  const Bytes bytes = RandomBytes(100, 3, &random);
  Bytes sparse(MaxSparseBytes(bytes.size()));
  sparse.resize(PackSparse(bytes, sparse.data()));
  Bytes out(bytes.size());
  for (size_t size = 0; size < sparse.size(); ++size) {
    EXPECT_FALSE(UnpackSparse({sparse.data(), size}, absl::MakeSpan(out)));
  }
  sparse.push_back(0);
  EXPECT_FALSE(UnpackSparse(sparse, absl::MakeSpan(out)));
}

TEST(ChunkCodec, EveryRunComesBackAndNoneGetsLonger) {
  std::mt19937_64 random(3);
  ChunkCompressor compressor;
  ChunkDecompressor decompressor;
  for (const size_t size : {size_t{1}, size_t{7}, size_t{64}, size_t{5000},
                            batch::kMaxChunkBytes}) {
    for (uint32_t kinds = 1; kinds <= 40; kinds += 3) {
      const Bytes bytes = RandomBytes(size, kinds, &random);
      Bytes packed = bytes;
      const ChunkCompressor::Packed made =
          compressor.Pack(packed.data(), packed.size());
      ASSERT_LE(made.bytes, size);
      ASSERT_GT(made.bytes, 0);
      packed.resize(made.bytes);
      Bytes back(size, 0x5A);
      const absl::Status status =
          made.sparse_bytes > 0
              ? decompressor.DecompressSparse(packed, made.sparse_bytes,
                                              absl::MakeSpan(back))
              : decompressor.Decompress(packed, absl::MakeSpan(back));
      ASSERT_TRUE(status.ok()) << status;
      ASSERT_EQ(back, bytes);
    }
  }
  EXPECT_LE(compressor.memory(), StreamPacker::MemoryOfAThread());
}

TEST(ChunkCodec, AFrameOfAnotherLengthIsRefused) {
  ChunkCompressor compressor;
  ChunkDecompressor decompressor;
  Bytes packed(10000, 7);
  packed.resize(compressor.Compress(packed.data(), packed.size()));
  ASSERT_LT(packed.size(), 1000);
  for (const size_t size : {9999, 10001, 1 << 20}) {
    Bytes out(size);
    EXPECT_FALSE(decompressor.Decompress(packed, absl::MakeSpan(out)).ok());
  }
}

}  // namespace
}  // namespace inkstream::transport

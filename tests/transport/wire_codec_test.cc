// Runs of bytes and strokes come back as they went in; whatever else comes is
// refused.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "inkstream/drawing.h"
#include "server/batch/packer.h"
#include "server/transport/codec/chunk_codec.h"
#include "server/transport/codec/sparse_words.h"
#include "server/transport/codec/stroke_wire.h"
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

Drawing RandomDrawing(std::mt19937_64* random, bool whole, bool times) {
  Drawing drawing;
  for (uint64_t s = (*random)() % 5; s > 0; --s) {
    for (uint64_t p = (*random)() % 30; p > 0; --p) {
      const auto value = [&] {
        const auto number = static_cast<float>((*random)() % 256);
        return whole ? number : number + 0.25F;
      };
      drawing.x.push_back(value());
      drawing.y.push_back(value());
      if (times) drawing.t.push_back(value());
    }
    drawing.stroke_ends.push_back(static_cast<uint32_t>(drawing.x.size()));
  }
  return drawing;
}

TEST(StrokeWire, DrawingsComeBackBitForBit) {
  std::mt19937_64 random(4);
  std::vector<Drawing> drawings;
  Bytes encoded;
  for (uint64_t i = 0; i < 400; ++i) {
    drawings.push_back(RandomDrawing(&random, i % 2 == 0, i % 3 == 0));
    AppendStrokes(drawings.back().strokes(), i % 7 * 1000, &encoded);
  }
  StrokeWireReader reader(encoded);
  for (uint64_t i = 0; i < drawings.size(); ++i) {
    ASSERT_FALSE(reader.at_end());
    const absl::Status status = reader.Next();
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(reader.strokes().stroke_ends, drawings[i].stroke_ends);
    EXPECT_EQ(reader.strokes().x, drawings[i].x);
    EXPECT_EQ(reader.strokes().y, drawings[i].y);
    EXPECT_EQ(reader.strokes().t, drawings[i].t);
    EXPECT_EQ(reader.occurrence(), i % 7 * 1000);
  }
  EXPECT_TRUE(reader.at_end());
}

TEST(StrokeWire, WhatEndsTooEarlyIsRefused) {
  std::mt19937_64 random(5);
  Drawing drawing;
  drawing.x = drawing.y = {1, 2, 300};
  drawing.stroke_ends = {1, 3};
  Bytes encoded;
  AppendStrokes(drawing.strokes(), 9, &encoded);
  for (size_t size = 0; size < encoded.size(); ++size) {
    StrokeWireReader reader({encoded.data(), size});
    EXPECT_FALSE(reader.Next().ok()) << size;
  }
  // A few bytes cannot claim many points or strokes.
  const Bytes many_strokes = {0xF9, 0xFF, 0xFF, 0xFF, 0x7F, 1};
  EXPECT_FALSE(StrokeWireReader(many_strokes).Next().ok());
  const Bytes many_points = {9, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F};
  EXPECT_FALSE(StrokeWireReader(many_points).Next().ok());
}

}  // namespace
}  // namespace inkstream::transport

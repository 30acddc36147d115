// Philox, many blocks at once. Included once for each target.
#if defined(INKSTREAM_RANDOM_BLOCKS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef INKSTREAM_RANDOM_BLOCKS_INL
#undef INKSTREAM_RANDOM_BLOCKS_INL
#else
#define INKSTREAM_RANDOM_BLOCKS_INL
#endif

#include "hwy/highway.h"
#include "server/raster/draw/point_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

// Word w of block first + i goes to out[w][i].
template <size_t kBlocks>
HWY_INLINE void DrawBlocks(const RandomKey& key, uint32_t first,
                           uint32_t* const (&out)[4]) {
  for (uint32_t i = 0; i < kBlocks; ++i) {
    const PhiloxBlock block = NumberedBlock(key, first + i);
    for (size_t w = 0; w < 4; ++w) out[w][i] = block[w];
  }
}

#else

// A block a lane, a word a 64-bit lane, so that products need no shuffling.
// What is above a word has no meaning and is never looked at.
using BlockTag = hn::CappedTag<uint64_t, 8>;
using BlockLanes = hn::Vec<BlockTag>;

// Blocks first, first + 1, ...; kVectors at once, since every round waits for
// the last.
template <size_t kVectors>
HWY_INLINE void PhiloxLanes(const RandomKey& key, uint32_t first,
                            BlockLanes (&c)[kVectors][4]) {
  // Iota() may be made an element at a time.
  alignas(64) static constexpr uint64_t kNumbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  const BlockTag d;
  const hn::Repartition<uint32_t, BlockTag> d32;
  for (size_t v = 0; v < kVectors; ++v) {
    c[v][0] =
        hn::Add(hn::Load(d, kNumbers), hn::Set(d, first + v * hn::Lanes(d)));
    c[v][1] = hn::Set(d, key.view);
    c[v][2] = hn::Set(d, static_cast<uint32_t>(key.index));
    c[v][3] = hn::Set(d, key.index >> 32U);
  }
  const BlockLanes factor0 = hn::Set(d, kPhiloxFactor0);
  const BlockLanes factor1 = hn::Set(d, kPhiloxFactor1);
  const auto multiply = [&](BlockLanes a, BlockLanes b) HWY_ATTR {
    return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b));
  };
  for (int r = 0; r < kPhiloxRounds; ++r) {
    for (auto& v : c) {
      const BlockLanes p0 = multiply(v[0], factor0);
      const BlockLanes p1 = multiply(v[2], factor1);
      v[0] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), v[1]),
                     hn::Set(d, key.rounds.first(r)));
      v[2] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), v[3]),
                     hn::Set(d, key.rounds.second(r)));
      v[1] = p1;
      v[3] = p0;
    }
  }
}

// Word w of block first + i goes to out[w][i]. What lies side by side in memory
// is stored, where it can be, as it will be loaded: a load waits for several
// stores much longer than for one.
template <size_t kBlocks>
HWY_INLINE void DrawBlocks(const RandomKey& key, uint32_t first,
                           uint32_t* const (&out)[4]) {
  const BlockTag d;
  const hn::Repartition<uint32_t, BlockTag> d32;
  const auto words = [&](BlockLanes low, BlockLanes high) HWY_ATTR {
    return hn::ConcatEven(d32, hn::BitCast(d32, high), hn::BitCast(d32, low));
  };
  constexpr size_t kLanes = hn::MaxLanes(BlockTag());
  if constexpr (kLanes == kBlocks) {
    BlockLanes c[1][4];
    PhiloxLanes(key, first, c);
    hn::StoreU(words(c[0][1], c[0][2]), d32, out[1]);
    hn::StoreU(words(c[0][0], c[0][3]), d32, out[0]);
  } else {
    for (size_t i = 0; i < kBlocks; i += 2 * kLanes) {
      BlockLanes c[2][4];
      PhiloxLanes(key, first + static_cast<uint32_t>(i), c);
      for (size_t w = 0; w < 4; ++w) {
        hn::StoreU(words(c[0][w], c[1][w]), d32, out[w] + i);
      }
    }
  }
}

#endif

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_RANDOM_BLOCKS_INL

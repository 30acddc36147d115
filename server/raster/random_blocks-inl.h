// Philox, many blocks at once. Included once for each target.
#if defined(INKSTREAM_RANDOM_BLOCKS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef INKSTREAM_RANDOM_BLOCKS_INL
#undef INKSTREAM_RANDOM_BLOCKS_INL
#else
#define INKSTREAM_RANDOM_BLOCKS_INL
#endif

#include "hwy/highway.h"
#include "server/raster/point_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Blocks numbered numbers[0..count), count a multiple of 4 up to 16; word w of
// block i goes to out[w][i], and others up to the next multiple of 16 may be
// written.
HWY_INLINE void DrawBlocks(const RandomKey& key, const uint32_t* numbers,
                           size_t count, uint32_t* const (&out)[4]) {
#if HWY_TARGET == HWY_SCALAR
  for (size_t i = 0; i < count; ++i) {
    const PhiloxBlock block =
        RandomBlock(key, RandomUse::kParameter, numbers[i]);
    for (size_t w = 0; w < 4; ++w) out[w][i] = block[w];
  }
#else
  // A word a 64-bit lane, so that products need no shuffling. What is above a
  // word has no meaning and is never looked at.
  const hn::CappedTag<uint64_t, 8> d;
  const hn::Repartition<uint32_t, decltype(d)> d32;
  const hn::Rebind<uint32_t, decltype(d)> d_half;
  using Lanes = hn::Vec<decltype(d)>;
  const size_t lanes = hn::Lanes(d);
  const auto multiply = [&](Lanes a, Lanes b) HWY_ATTR {
    return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b));
  };
  const Lanes factor0 = hn::Set(d, kPhiloxFactor0);
  const Lanes factor1 = hn::Set(d, kPhiloxFactor1);
  for (size_t i = 0; i < count; i += 2 * lanes) {
    Lanes a[4] = {hn::PromoteTo(d, hn::LoadU(d_half, numbers + i)),
                  hn::Set(d, key.view),
                  hn::Set(d, static_cast<uint32_t>(key.index)),
                  hn::Set(d, key.index >> 32U)};
    Lanes b[4] = {hn::PromoteTo(d, hn::LoadU(d_half, numbers + i + lanes)),
                  a[1], a[2], a[3]};
    PhiloxKey step = key.key;
    const auto round = [&](Lanes(&c)[4]) HWY_ATTR {
      const Lanes p0 = multiply(c[0], factor0);
      const Lanes p1 = multiply(c[2], factor1);
      c[0] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c[1]),
                     hn::Set(d, step.first));
      c[2] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c[3]),
                     hn::Set(d, step.second));
      c[1] = p1;
      c[3] = p0;
    };
    for (int r = 0; r < kPhiloxRounds; ++r) {
      round(a);
      round(b);
      step.first += kPhiloxStep0;
      step.second += kPhiloxStep1;
    }
    for (size_t w = 0; w < 4; ++w) {
      hn::StoreU(
          hn::ConcatEven(d32, hn::BitCast(d32, b[w]), hn::BitCast(d32, a[w])),
          d32, out[w] + i);
    }
  }
#endif
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_RANDOM_BLOCKS_INL

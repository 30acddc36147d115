// Lays one stroke's coverage over the image and leaves the buffer empty.
// Included once for each target.
//
// over(c, p) = c + p (255 - c) / 255, rounded as Cairo's 8-bit operator does.
#if defined(INKSTREAM_STROKE_OVER_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef INKSTREAM_STROKE_OVER_INL
#undef INKSTREAM_STROKE_OVER_INL
#else
#define INKSTREAM_STROKE_OVER_INL
#endif

#include <algorithm>
#include <cstring>

#include "hwy/highway.h"
#include "server/raster/capsule_blocks-inl.h"
#include "server/raster/draw_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Products of 8-bit numbers in wider lanes; 16-bit multiplications are the
// fast ones.
template <class V>
HWY_INLINE V LowMul(V a, V b) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Mul(a, b);
#else
  const hn::DFromV<V> d;
  const hn::Repartition<uint16_t, decltype(d)> d16;
  return hn::BitCast(d, hn::Mul(hn::BitCast(d16, a), hn::BitCast(d16, b)));
#endif
}

// The low bytes of lanes that hold 0..255.
template <class D8, class V>
HWY_INLINE hn::Vec<D8> Narrow(D8 d8, V v) {
  const hn::RebindToSigned<hn::DFromV<V>> di;
#if HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_AVX3
  // One instruction. (Highway 1.0.3's TruncateTo mixes up the lanes here.)
  if constexpr (sizeof(hn::TFromV<V>) == 4 && hn::MaxLanes(di) == 16) {
    return hn::Vec<D8>{_mm512_cvtepi32_epi8(v.raw)};
  }
#endif
  return hn::DemoteTo(d8, hn::BitCast(di, v));
}

// Lays `cover` (0..255, one lane a pixel) over the pixels at `at`. Lanes past
// the row's end must be 0: they give back the pixels that they cross.
template <class D, class V>
HWY_INLINE void OverPixels(D d, V cover, uint8_t *at, const uint8_t *out_end) {
  const hn::Rebind<uint8_t, D> d8;
  const auto blend = [&](uint8_t *pixels) HWY_ATTR {
    const auto ink = hn::PromoteTo(d, hn::LoadU(d8, pixels));
    const auto t =
        hn::Add(LowMul(ink, hn::Sub(hn::Set(d, 255), cover)), hn::Set(d, 128));
    const auto kept = hn::ShiftRight<8>(hn::Add(t, hn::ShiftRight<8>(t)));
    hn::StoreU(Narrow(d8, hn::Add(cover, kept)), d8, pixels);
  };
  const size_t left = static_cast<size_t>(out_end - at);
  if (HWY_LIKELY(left >= hn::Lanes(d))) {
    blend(at);
    return;
  }
  uint8_t end_of_image[64] = {};
  std::memcpy(end_of_image, at, left);
  blend(end_of_image);
  std::memcpy(at, end_of_image, left);
}

// One sample a pixel: a lane of 16 bits is a pixel and the one below it.
HWY_INLINE void OverSingle(const CapsulePlan &plan, const Touched &touched,
                           uint8_t *cover, uint8_t *out) {
  const hn::CappedTag<uint16_t, 32> d;
  const int32_t lanes = static_cast<int32_t>(hn::Lanes(d));
  const int32_t width = static_cast<int32_t>(plan.width);
  const int32_t height = static_cast<int32_t>(plan.height);
  const uint8_t *out_end = out + size_t{plan.height} * plan.width;
  const int32_t x1 = touched.x1 + kBlockColumns;
  [[maybe_unused]] const auto tail =
      hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(width % lanes)),
                         hn::Set(d, ~hn::TFromD<decltype(d)>{0}));
  for (int32_t band = touched.band0; band < touched.band1; ++band) {
    uint16_t *row = reinterpret_cast<uint16_t *>(cover) +
                    static_cast<size_t>(band) * plan.pitch;
    uint8_t *upper = out + static_cast<size_t>(band) * 2 * plan.width;
    const bool has_lower = band * 2 + 1 < height;
    for (int32_t x = touched.x0 & ~(lanes - 1); x < x1; x += lanes) {
      auto pair = hn::Load(d, row + x);
      if (hn::AllTrue(d, hn::Eq(pair, hn::Zero(d)))) continue;
      hn::Store(hn::Zero(d), d, row + x);
      if (HWY_UNLIKELY(x + lanes > width)) {
        if (x >= width) break;
        pair = hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(width - x)),
                                  pair);
      }
      OverPixels(d, hn::And(pair, hn::Set(d, 255)), upper + x, out_end);
      if (has_lower) {
        OverPixels(d, hn::ShiftRight<8>(pair), upper + plan.width + x, out_end);
      }
    }
  }
}

// Two samples a pixel and axis: a lane of 32 bits is a pixel's four samples.
HWY_INLINE void OverQuads(const CapsulePlan &plan, const Touched &touched,
                          uint8_t *cover, uint8_t *out) {
  const hn::CappedTag<uint32_t, 16> d;
  const int32_t lanes = static_cast<int32_t>(hn::Lanes(d));
  const int32_t width = static_cast<int32_t>(plan.width);
  const uint8_t *out_end = out + size_t{plan.height} * plan.width;
  const int32_t x1 = (touched.x1 + kBlockColumns + 1) / 2;
  [[maybe_unused]] const auto tail =
      hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(width % lanes)),
                         hn::Set(d, ~hn::TFromD<decltype(d)>{0}));
  for (int32_t band = touched.band0; band < touched.band1; ++band) {
    uint32_t *row = reinterpret_cast<uint32_t *>(cover) +
                    static_cast<size_t>(band) * plan.pitch / 2;
    uint8_t *pixels = out + static_cast<size_t>(band) * plan.width;
    for (int32_t x = (touched.x0 / 2) & ~(lanes - 1); x < x1; x += lanes) {
      const auto quad = hn::Load(d, row + x);
      if (hn::AllTrue(d, hn::Eq(quad, hn::Zero(d)))) continue;
      hn::Store(hn::Zero(d), d, row + x);
      const auto low_bytes = hn::Set(d, 0x00FF00FF);
      const auto pairs = hn::Add(hn::And(quad, low_bytes),
                                 hn::And(hn::ShiftRight<8>(quad), low_bytes));
      const auto sum = hn::Add(hn::And(pairs, hn::Set(d, 0xFFFF)),
                               hn::ShiftRight<16>(pairs));
      auto mean = hn::ShiftRight<2>(hn::Add(sum, hn::Set(d, 2)));
      if (HWY_UNLIKELY(x + lanes > width)) {
        if (x >= width) break;
        mean = hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(width - x)),
                                  mean);
      }
      OverPixels(d, mean, pixels + x, out_end);
    }
  }
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_STROKE_OVER_INL

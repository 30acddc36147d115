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
#include "server/raster/draw/draw_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// round(a b / 255) as Cairo rounds, of lanes that hold 0..255; 16-bit
// multiplications are the fast ones.
template <class V>
HWY_INLINE V MulBytes(V a, V b) {
  const hn::DFromV<V> d;
#if HWY_TARGET == HWY_SCALAR
  const auto t = hn::Add(hn::Mul(a, b), hn::Set(d, 128));
  return hn::ShiftRight<8>(hn::Add(t, hn::ShiftRight<8>(t)));
#else
  const hn::Repartition<uint16_t, decltype(d)> d16;
  const auto product =
      hn::BitCast(d, hn::Mul(hn::BitCast(d16, a), hn::BitCast(d16, b)));
  const auto t = hn::BitCast(d16, hn::Add(product, hn::Set(d, 128)));
  // (t + (t >> 8)) >> 8.
  return hn::BitCast(d, hn::MulHigh(t, hn::Set(d16, 257)));
#endif
}

// Sums of the four bytes of each lane.
template <class V>
HWY_INLINE V SumOfBytes(V quads) {
#if HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_AVX3
  return V{
      _mm512_madd_epi16(_mm512_maddubs_epi16(quads.raw, _mm512_set1_epi8(1)),
                        _mm512_set1_epi16(1))};
#elif HWY_TARGET == HWY_AVX2
  return V{
      _mm256_madd_epi16(_mm256_maddubs_epi16(quads.raw, _mm256_set1_epi8(1)),
                        _mm256_set1_epi16(1))};
#else
  const hn::DFromV<V> d;
  const auto low_bytes = hn::Set(d, 0x00FF00FF);
  const auto pairs = hn::Add(hn::And(quads, low_bytes),
                             hn::And(hn::ShiftRight<8>(quads), low_bytes));
  return hn::Add(hn::And(pairs, hn::Set(d, 0xFFFF)), hn::ShiftRight<16>(pairs));
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

// The part of the cover buffer that a stroke has touched. Blocks may be longer
// than a segment's box, but their coverage ends at most half a sample behind
// it: one column and one pair of rows more are enough to leave nothing behind.
struct Touched {
  HWY_INLINE void Add(const int32_t* segment) {
    x0 = std::min(x0, segment[kX0 * kSegmentGroup]);
    x1 = std::max(x1, segment[kX1 * kSegmentGroup] + 1);
    band0 = std::min(band0, segment[kBand0 * kSegmentGroup]);
    band1 = std::max(band1, segment[kBand1 * kSegmentGroup] + 1);
  }

  int32_t x0 = INT32_MAX;
  int32_t x1 = 0;
  int32_t band0 = INT32_MAX;
  int32_t band1 = 0;
};

// Where strokes are laid over each other: the image itself where whole vectors
// fit its rows, else one with longer rows. (Vectors that crossed rows would be
// loaded from two stores each, which costs more than copying at the end.)
struct Canvas {
  uint8_t* pixels;
  size_t pitch;
};

HWY_INLINE Canvas BeginCanvas(const CapsulePlan& plan,
                              const DrawScratch& scratch, size_t layer,
                              uint8_t* out) {
  if (plan.image_pitch != plan.width) {
    return {scratch.image + layer * scratch.image_bytes, plan.image_pitch};
  }
  std::memset(out, 0, size_t{plan.height} * plan.width);
  return {out, plan.width};
}

// Moves the canvas to `out` and leaves it empty.
HWY_INLINE void EndCanvas(const CapsulePlan& plan, const Canvas& canvas,
                          uint8_t* out) {
  if (canvas.pixels == out) return;
  const hn::CappedTag<uint8_t, kRowAlignment> d;
  const size_t lanes = hn::Lanes(d);
  const uint8_t* out_end = out + size_t{plan.height} * plan.width;
  for (uint32_t y = 0; y < plan.height; ++y) {
    uint8_t* row = canvas.pixels + y * canvas.pitch;
    uint8_t* to = out + size_t{y} * plan.width;
    // What is written past a row's end is the next row's to write again.
    const bool fits = static_cast<size_t>(out_end - to) >= canvas.pitch;
    if (HWY_UNLIKELY(!fits)) std::memcpy(to, row, plan.width);
    for (size_t x = 0; x < canvas.pitch; x += lanes) {
      if (HWY_LIKELY(fits)) hn::StoreU(hn::Load(d, row + x), d, to + x);
      hn::Store(hn::Zero(d), d, row + x);
    }
  }
}

// Lays `painted`, the value times `cover` (both 0..255, one lane a pixel),
// over the pixels at `at`.
template <class D, class V>
HWY_INLINE void OverPixels(D d, V cover, V painted, uint8_t* at) {
  const hn::Rebind<uint8_t, D> d8;
  const auto under = hn::PromoteTo(d, hn::LoadU(d8, at));
  const auto kept = MulBytes(under, hn::Sub(hn::Set(d, 255), cover));
  hn::StoreU(Narrow(d8, hn::Add(painted, kept)), d8, at);
}

// In images up to this wide, a branch for vectors without ink costs more than
// it saves: it cannot be foreseen. (Without it 28x28 takes 9 % less time,
// 128x128 4 %.)
constexpr size_t kFewColumns = 192;

// One sample a pixel: a lane of 16 bits is a pixel and the one below it.
HWY_INLINE void OverSingle(const CapsulePlan& plan, const Touched& touched,
                           uint8_t* cover, const Canvas& canvas) {
  const hn::CappedTag<uint16_t, kRowAlignment> d;
  const int32_t lanes = static_cast<int32_t>(hn::Lanes(d));
  const int32_t x0 = touched.x0 & ~(lanes - 1);
  const int32_t x1 = std::min(touched.x1, static_cast<int32_t>(canvas.pitch));
  const int32_t band1 =
      std::min(touched.band1, static_cast<int32_t>((plan.rows + 1) / 2));
  const bool skip_empty = canvas.pitch > kFewColumns;
  for (int32_t band = touched.band0; band < band1; ++band) {
    uint16_t* row = reinterpret_cast<uint16_t*>(cover) +
                    static_cast<size_t>(band) * plan.pitch;
    uint8_t* upper =
        canvas.pixels + static_cast<size_t>(band) * 2 * canvas.pitch;
    const bool has_lower = static_cast<uint32_t>(band) * 2 + 1 < plan.height;
    for (int32_t x = x0; x < x1; x += lanes) {
      const auto pair = hn::Load(d, row + x);
      if (skip_empty && hn::AllTrue(d, hn::Eq(pair, hn::Zero(d)))) continue;
      hn::Store(hn::Zero(d), d, row + x);
      const auto first = hn::And(pair, hn::Set(d, 255));
      OverPixels(d, first, first, upper + x);
      if (HWY_LIKELY(has_lower)) {
        const auto second = hn::ShiftRight<8>(pair);
        OverPixels(d, second, second, upper + canvas.pitch + x);
      }
    }
  }
}

// Two samples a pixel and axis: a lane of 32 bits is a pixel's four samples.
// Nearly all such images are small.
HWY_INLINE void OverQuads(const CapsulePlan& plan, const Touched& touched,
                          uint8_t* cover, const Canvas& canvas) {
  const hn::CappedTag<uint32_t, kRowAlignment / 2> d;
  const int32_t lanes = static_cast<int32_t>(hn::Lanes(d));
  const int32_t x0 = (touched.x0 / 2) & ~(lanes - 1);
  const int32_t x1 =
      std::min((touched.x1 + 1) / 2, static_cast<int32_t>(canvas.pitch));
  const int32_t band1 =
      std::min(touched.band1, static_cast<int32_t>((plan.rows + 1) / 2));
  for (int32_t band = touched.band0; band < band1; ++band) {
    uint32_t* row = reinterpret_cast<uint32_t*>(cover) +
                    static_cast<size_t>(band) * plan.pitch / 2;
    uint8_t* pixels = canvas.pixels + static_cast<size_t>(band) * canvas.pitch;
    for (int32_t x = x0; x < x1; x += lanes) {
      const auto quad = hn::Load(d, row + x);
      hn::Store(hn::Zero(d), d, row + x);
      const auto sum = SumOfBytes(quad);
      const auto mean = hn::ShiftRight<2>(hn::Add(sum, hn::Set(d, 2)));
      OverPixels(d, mean, mean, pixels + x);
    }
  }
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_STROKE_OVER_INL

#define HWY_WANT_AVX3_DL 1
#include "server/raster/point_kernel.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/raster/point_kernel.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "server/raster/frame.h"
#include "server/raster/random_blocks-inl.h"
#include "server/raster/span_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {

using WordTag = hn::RebindToUnsigned<FloatTag>;

Bounds BoundsTarget(const StrokesView& strokes) {
  if (strokes.points() == 0) return {};
  return MeasureBounds(strokes.x.data(), strokes.y.data(), strokes.points());
}

void FirstWordsTarget(const RandomKey& key, bool strokes, FirstWords* out) {
  constexpr auto kStroke = static_cast<uint32_t>(RandomUse::kStroke);
  alignas(64) static constexpr uint32_t kNumbers[16] = {
      0,           1,           2,           3,           kStroke,
      kStroke + 1, kStroke + 2, kStroke + 3, kStroke + 4, kStroke + 5,
      kStroke + 6, kStroke + 7, kStroke + 8, kStroke + 9, kStroke + 10,
      kStroke + 11};
  uint32_t* const words[4] = {out->words, out->words + 16, out->words + 32,
                              out->words + 48};
  DrawBlocks(key, kNumbers, strokes ? 16 : kParameterBlocks, words);
}

void PointWordsTarget(const RandomKey& key, size_t points, uint32_t* first,
                      uint32_t* second) {
  alignas(64) uint32_t numbers[16];
  for (uint32_t i = 0; i < 16; ++i) {
    numbers[i] = static_cast<uint32_t>(RandomUse::kPoint) + i;
  }
  for (size_t i = 0; i < points; i += 32) {
    uint32_t* const words[4] = {first + i, second + i, first + i + 16,
                                second + i + 16};
    DrawBlocks(key, numbers, 16, words);
    for (uint32_t& number : numbers) number += 16;
  }
}

// A coordinate's jitter in units of its deviation's 1/kJitterSteps: close to
// normal, and integers only.
HWY_INLINE Floats JitterOf(hn::Vec<WordTag> word) {
  const WordTag d;
  const auto fields = hn::Set(d, 0x0003F03FU);
  const auto pairs =
      hn::Add(hn::And(word, fields), hn::And(hn::ShiftRight<6>(word), fields));
  const auto sum =
      hn::And(hn::Add(pairs, hn::ShiftRight<12>(pairs)), hn::Set(d, 0xFFU));
  return hn::ConvertTo(
      FloatTag(), hn::Sub(hn::BitCast(IntTag(), sum), hn::Set(IntTag(), 126)));
}

struct PointVector {
  Floats x;
  Floats y;
};

// Points [i, i + lanes), changed.
HWY_INLINE PointVector Changed(const PointChange& change,
                               const StrokesView& strokes, size_t i,
                               const uint32_t* first, const uint32_t* second) {
  const FloatTag d;
  const size_t left = strokes.points() - i;
  PointVector p;
  if (HWY_LIKELY(left >= hn::Lanes(d))) {
    p = {hn::LoadU(d, strokes.x.data() + i),
         hn::LoadU(d, strokes.y.data() + i)};
  } else {
    p = {LoadFirst(d, strokes.x.data() + i, left, hn::Zero(d)),
         LoadFirst(d, strokes.y.data() + i, left, hn::Zero(d))};
  }
  if (change.moves) {
    const Floats dx = hn::Sub(p.x, hn::Set(d, change.from_x));
    const Floats dy = hn::Sub(p.y, hn::Set(d, change.from_y));
    p.x = hn::Add(hn::Add(hn::Mul(hn::Set(d, change.xx), dx),
                          hn::Mul(hn::Set(d, change.xy), dy)),
                  hn::Set(d, change.to_x));
    p.y = hn::Add(hn::Add(hn::Mul(hn::Set(d, change.yx), dx),
                          hn::Mul(hn::Set(d, change.yy), dy)),
                  hn::Set(d, change.to_y));
  }
  if (change.jitter > 0) {
    // Four 6-bit numbers have mean 126 and variance 4 (64^2 - 1) / 12.
    const Floats unit = hn::Set(d, change.jitter * (1.0F / 36.945906F));
    p.x =
        hn::Add(p.x, hn::Mul(unit, JitterOf(hn::LoadU(WordTag(), first + i))));
    p.y =
        hn::Add(p.y, hn::Mul(unit, JitterOf(hn::LoadU(WordTag(), second + i))));
  }
  return p;
}

// Lanes of points [i, i + lanes) of the stroke [begin, end) that stay.
HWY_INLINE auto Staying(uint32_t drop_below, size_t begin, size_t end, size_t i,
                        const uint32_t* first, const uint32_t* second) {
  const WordTag d;
  const auto high = hn::ShiftRight<24>(hn::LoadU(d, first + i));
  const auto low =
      hn::And(hn::ShiftRight<16>(hn::LoadU(d, second + i)), hn::Set(d, 0xFF00));
  const IntTag di;
  const auto chance = hn::BitCast(di, hn::Or(high, low));
  const auto place =
      hn::Add(hn::Iota(di, 0), hn::Set(di, static_cast<int32_t>(i - begin)));
  const auto last = hn::Set(di, static_cast<int32_t>(end - begin - 1));
  const auto spared =
      hn::Or(hn::Or(hn::Eq(place, hn::Zero(di)), hn::Eq(place, last)),
             hn::Gt(chance, hn::Set(di, static_cast<int32_t>(drop_below) - 1)));
  return hn::And(spared, hn::Lt(place, hn::Add(last, hn::Set(di, 1))));
}

size_t ChangeStrokesTarget(const PointChange& change,
                           const StrokesView& strokes,
                           absl::Span<const uint32_t> order,
                           const uint32_t* first, const uint32_t* second,
                           PointRoom out, uint32_t* ends) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  size_t written = 0;
  for (size_t k = 0; k < order.size(); ++k) {
    const size_t begin = strokes.begin(order[k]);
    const size_t end = strokes.end(order[k]);
    for (size_t i = begin; i < end; i += lanes) {
      const PointVector p = Changed(change, strokes, i, first, second);
      if (change.drop_below == 0) {
        hn::StoreU(p.x, d, out.x + written);
        hn::StoreU(p.y, d, out.y + written);
        written += std::min(lanes, end - i);
        continue;
      }
      const auto staying = hn::RebindMask(
          d, Staying(change.drop_below, begin, end, i, first, second));
      hn::StoreU(hn::Compress(p.x, staying), d, out.x + written);
      hn::StoreU(hn::Compress(p.y, staying), d, out.y + written);
      if (out.t != nullptr) {
        const Floats t = LoadFirst(d, strokes.t.data() + i,
                                   std::min(lanes, end - i), hn::Zero(d));
        hn::StoreU(hn::Compress(t, staying), d, out.t + written);
      }
      written += hn::CountTrue(d, staying);
    }
    if (out.t != nullptr && change.drop_below == 0) {
      std::copy(strokes.t.begin() + begin, strokes.t.begin() + end,
                out.t + written - (end - begin));
    }
    ends[k] = static_cast<uint32_t>(written);
  }
  return written;
}

void ChangePointsTarget(const PointChange& change, const StrokesView& strokes,
                        const uint32_t* first, const uint32_t* second,
                        PointRoom out) {
  const FloatTag d;
  for (size_t i = 0; i < strokes.points(); i += hn::Lanes(d)) {
    const PointVector p = Changed(change, strokes, i, first, second);
    hn::StoreU(p.x, d, out.x + i);
    hn::StoreU(p.y, d, out.y + i);
  }
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inkstream::raster {

HWY_EXPORT(BoundsTarget);
HWY_EXPORT(FirstWordsTarget);
HWY_EXPORT(PointWordsTarget);
HWY_EXPORT(ChangeStrokesTarget);
HWY_EXPORT(ChangePointsTarget);

Bounds BoundsOf(const StrokesView& strokes) {
  return HWY_DYNAMIC_DISPATCH(BoundsTarget)(strokes);
}

void FillFirstWords(const RandomKey& key, bool strokes, FirstWords* out) {
  HWY_DYNAMIC_DISPATCH(FirstWordsTarget)(key, strokes, out);
}

void FillPointWords(const RandomKey& key, size_t points, uint32_t* first,
                    uint32_t* second) {
  HWY_DYNAMIC_DISPATCH(PointWordsTarget)(key, points, first, second);
}

size_t ChangeStrokes(const PointChange& change, const StrokesView& strokes,
                     absl::Span<const uint32_t> order, const uint32_t* first,
                     const uint32_t* second, PointRoom out, uint32_t* ends) {
  return HWY_DYNAMIC_DISPATCH(ChangeStrokesTarget)(change, strokes, order,
                                                   first, second, out, ends);
}

void ChangePoints(const PointChange& change, const StrokesView& strokes,
                  const uint32_t* first, const uint32_t* second,
                  PointRoom out) {
  HWY_DYNAMIC_DISPATCH(ChangePointsTarget)(change, strokes, first, second, out);
}

}  // namespace inkstream::raster
#endif  // HWY_ONCE

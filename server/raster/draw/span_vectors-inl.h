// Vectors of a span of any length: the last one is not read past its end.
// Included once for each target.
#if defined(INKSTREAM_SPAN_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef INKSTREAM_SPAN_VECTORS_INL
#undef INKSTREAM_SPAN_VECTORS_INL
#else
#define INKSTREAM_SPAN_VECTORS_INL
#endif

#include <algorithm>
#include <cstring>
#include <limits>

#include "hwy/highway.h"
#include "server/raster/draw/frame.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, 16>;
using IntTag = hn::RebindToSigned<FloatTag>;
using Floats = hn::Vec<FloatTag>;

// Lanes [count, ...) are those of `filler`. REQUIRES: count <= lanes.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V LoadFirst(D d, const hn::TFromD<D> *from, size_t count, V filler) {
#if HWY_MEM_OPS_MIGHT_FAULT && HWY_TARGET != HWY_AVX2
  HWY_ALIGN hn::TFromD<D> lanes[16];
  hn::Store(filler, d, lanes);
  std::memcpy(lanes, from, count * sizeof(lanes[0]));
  return hn::Load(d, lanes);
#else
  const auto mask = hn::FirstN(d, count);
  return hn::IfThenElse(mask, hn::MaskedLoad(mask, d, from), filler);
#endif
}

// Calls f(first index, elements) for a vector's elements at a time. How many
// drawings have, no branch predictor knows: where masks are free, most take one
// turn of a loop, in which vectors may have none.
template <class F>
HWY_INLINE void ForEachVector(size_t count, F f) {
  constexpr size_t kLanes = hn::MaxLanes(FloatTag());
#if HWY_TARGET <= HWY_AVX3
  for (size_t i = 0; i < count; i += 4 * kLanes) {
    const size_t left = count - i;
    f(i, std::min(left, kLanes));
    for (size_t v = kLanes; v < 4 * kLanes; v += kLanes) {
      f(i + v, std::min(std::max(left, v) - v, kLanes));
    }
  }
#else
  for (size_t i = 0; i < count; i += kLanes) f(i, std::min(count - i, kLanes));
#endif
}

// Calls f(first index, x, y) for all points; lanes past the last repeat the
// first. One loop for both axes: how long it is, no branch predictor knows.
// REQUIRES: count > 0.
template <class F>
HWY_INLINE void ForEachPoints(const float *x, const float *y, size_t count,
                              F f) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    f(i, hn::LoadU(d, x + i), hn::LoadU(d, y + i));
  }
  if (i == count) return;
  f(i, LoadFirst(d, x + i, count - i, hn::Set(d, x[0])),
    LoadFirst(d, y + i, count - i, hn::Set(d, y[0])));
}

// What is not a number counts nowhere: targets differ in which operand of a
// comparison with it they take. All of x86 takes the second.
struct Extremes {
  Floats least;
  Floats most;

  HWY_INLINE void Add(Floats v) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
    least = hn::Min(v, least);
    most = hn::Max(v, most);
#else
    const auto is_number = hn::Eq(v, v);
    least = hn::Min(least, hn::IfThenElse(is_number, v, least));
    most = hn::Max(most, hn::IfThenElse(is_number, v, most));
#endif
  }
};

// Of at least one point.
HWY_INLINE Bounds MeasureBounds(const float *x, const float *y, size_t count) {
  const FloatTag d;
  const Floats least = hn::Set(d, std::numeric_limits<float>::lowest());
  const Floats most = hn::Set(d, std::numeric_limits<float>::max());
  Extremes of_x = {most, least};
  Extremes of_y = {most, least};
#if HWY_TARGET <= HWY_AVX3
  const Floats first_x = hn::Set(d, x[0]);
  const Floats first_y = hn::Set(d, y[0]);
  ForEachVector(count, [&](size_t i, size_t some) HWY_ATTR {
    of_x.Add(LoadFirst(d, x + i, some, first_x));
    of_y.Add(LoadFirst(d, y + i, some, first_y));
  });
  // All four at once: [x | y] of the least and of the most, of which each block
  // of four lanes then has one of each.
  const Floats l = hn::Min(hn::ConcatLowerLower(d, of_y.least, of_x.least),
                           hn::ConcatUpperUpper(d, of_y.least, of_x.least));
  const Floats m =
      hn::Neg(hn::Max(hn::ConcatLowerLower(d, of_y.most, of_x.most),
                      hn::ConcatUpperUpper(d, of_y.most, of_x.most)));
  Floats all =
      hn::Min(hn::InterleaveLower(d, l, m), hn::InterleaveUpper(d, l, m));
  all = hn::Min(all, hn::Shuffle1032(all));
  all = hn::Min(all, hn::SwapAdjacentBlocks(all));
  alignas(64) float lanes[16];
  hn::Store(all, d, lanes);
  return {lanes[0], lanes[8], -lanes[1], -lanes[9]};
#else
  ForEachPoints(x, y, count, [&](size_t, Floats vx, Floats vy) HWY_ATTR {
    of_x.Add(vx);
    of_y.Add(vy);
  });
  return {hn::GetLane(hn::MinOfLanes(d, of_x.least)),
          hn::GetLane(hn::MinOfLanes(d, of_y.least)),
          hn::GetLane(hn::MaxOfLanes(d, of_x.most)),
          hn::GetLane(hn::MaxOfLanes(d, of_y.most))};
#endif
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_SPAN_VECTORS_INL

// Vectors of a span of any length: the last one is not read past its end.
// Included once for each target.
#if defined(INKSTREAM_SPAN_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef INKSTREAM_SPAN_VECTORS_INL
#undef INKSTREAM_SPAN_VECTORS_INL
#else
#define INKSTREAM_SPAN_VECTORS_INL
#endif

#include <cstring>
#include <limits>

#include "hwy/highway.h"
#include "server/raster/frame.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, 16>;
using IntTag = hn::RebindToSigned<FloatTag>;
using Floats = hn::Vec<FloatTag>;

// Lanes [count, ...) are those of `filler`. REQUIRES: 0 < count <= lanes.
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

// Of at least one point. What is not a number counts nowhere: targets differ in
// which operand of a comparison with it they take.
HWY_INLINE Bounds MeasureBounds(const float *x, const float *y, size_t count) {
  const FloatTag d;
  const Floats least = hn::Set(d, std::numeric_limits<float>::lowest());
  const Floats most = hn::Set(d, std::numeric_limits<float>::max());
  Floats min_x = most;
  Floats max_x = least;
  Floats min_y = most;
  Floats max_y = least;
  ForEachPoints(x, y, count, [&](size_t, Floats vx, Floats vy) HWY_ATTR {
    const auto has_x = hn::Eq(vx, vx);
    const auto has_y = hn::Eq(vy, vy);
    min_x = hn::Min(min_x, hn::IfThenElse(has_x, vx, most));
    max_x = hn::Max(max_x, hn::IfThenElse(has_x, vx, least));
    min_y = hn::Min(min_y, hn::IfThenElse(has_y, vy, most));
    max_y = hn::Max(max_y, hn::IfThenElse(has_y, vy, least));
  });
  return {hn::GetLane(hn::MinOfLanes(d, min_x)),
          hn::GetLane(hn::MinOfLanes(d, min_y)),
          hn::GetLane(hn::MaxOfLanes(d, max_x)),
          hn::GetLane(hn::MaxOfLanes(d, max_y))};
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_SPAN_VECTORS_INL

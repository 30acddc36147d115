// Points -> samples -> the constants of every segment, a vector of segments at
// a time. Included once for each target.
#if defined(INKSTREAM_SEGMENT_SETUP_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef INKSTREAM_SEGMENT_SETUP_INL
#undef INKSTREAM_SEGMENT_SETUP_INL
#else
#define INKSTREAM_SEGMENT_SETUP_INL
#endif

#include "hwy/highway.h"
#include "server/raster/draw/draw_kernel.h"
#include "server/raster/draw/frame.h"
#include "server/raster/draw/span_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Coordinates up to this many samples keep every fixed-point number in range;
// segments that reach further are clipped one by one.
constexpr float kFarAway = 4000.0F;

// Fills ax, ay, bx, by of `scratch` from a drawing with at least one point.
HWY_INLINE void PlacePoints(const DrawTask &task, DrawScratch &scratch) {
  const FloatTag d;
  const CapsulePlan &plan = task.plan;
  const StrokesView &strokes = task.strokes;
  const size_t n = strokes.points();
  scratch.Reserve(n);
  const Frame frame = FrameOf(
      task.spec, task.bounds != nullptr
                     ? *task.bounds
                     : MeasureBounds(strokes.x.data(), strokes.y.data(), n));
  const float samples = static_cast<float>(plan.samples);
  const Floats scale_x = hn::Set(d, frame.scale_x * samples);
  const Floats scale_y = hn::Set(d, frame.scale_y * samples);
  const Floats offset_x = hn::Set(d, frame.offset_x * samples);
  const Floats offset_y = hn::Set(d, frame.offset_y * samples);
  const Floats limit = hn::Set(d, kFarAway);
  auto near = hn::Eq(limit, limit);  // all lanes
  ForEachPoints(strokes.x.data(), strokes.y.data(), n,
                [&](size_t i, Floats vx, Floats vy) HWY_ATTR {
                  const Floats x = hn::Add(hn::Mul(vx, scale_x), offset_x);
                  const Floats y = hn::Add(hn::Mul(vy, scale_y), offset_y);
                  // NaN is not near.
                  near = hn::And(near, hn::And(hn::Lt(hn::Abs(x), limit),
                                               hn::Lt(hn::Abs(y), limit)));
                  hn::StoreU(x, d, scratch.ax + i);
                  hn::StoreU(x, d, scratch.bx + i - 1);
                  hn::StoreU(y, d, scratch.ay + i);
                  hn::StoreU(y, d, scratch.by + i - 1);
                });
  // Nothing leads from the last point of a stroke; alone, it is a dot.
  for (const uint32_t end : strokes.stroke_ends) {
    if (end == 0) continue;
    scratch.bx[end - 1] = scratch.ax[end - 1];
    scratch.by[end - 1] = scratch.ay[end - 1];
  }
  if (HWY_LIKELY(hn::AllTrue(d, near))) return;
  for (size_t i = 0; i < n; ++i) {
    ClipSegment(plan, scratch.ax[i], scratch.ay[i], scratch.bx[i],
                scratch.by[i]);
  }
}

// Rounds to the nearest integer, the same on every target. Below 2^22 in
// magnitude, adding 1.5 * 2^23 leaves the integer in the low bits.
HWY_INLINE hn::Vec<IntTag> ToInt(Floats v) {
  const IntTag di;
  const auto shifted = hn::Add(v, hn::Set(FloatTag(), 12582912.0F));
  return hn::Sub(hn::BitCast(di, shifted), hn::Set(di, 0x4B400000));
}

// The same for any number that 32 bits hold; halves upwards.
HWY_INLINE hn::Vec<IntTag> ToLargeInt(Floats v) {
  const FloatTag d;
  return hn::ConvertTo(IntTag(), hn::Floor(hn::Add(v, hn::Set(d, 0.5F))));
}

// Fills the columns of segments [0, count).
HWY_INLINE void SetUpSegments(const CapsulePlan &plan, size_t count,
                              DrawScratch &scratch) {
  const FloatTag d;
  const IntTag di;
  const auto half = hn::Set(d, 0.5F);
  const auto one = hn::Set(d, 1.0F);
  const auto half_block = hn::Set(d, 0.5F * kBlockColumns);
  const auto zero = hn::Zero(d);
  const auto radius = hn::Set(d, plan.radius + 0.01F);
  const auto scale = hn::Set(d, plan.scale * 64.0F);
  const auto length_limit = hn::Set(di, plan.half_length_limit);
  const auto columns = hn::Set(di, static_cast<int32_t>(plan.columns));
  const auto rows = hn::Set(di, static_cast<int32_t>(plan.rows));
  const auto i_zero = hn::Zero(di);
  const auto i_one = hn::Set(di, 1);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto ax = hn::LoadU(d, scratch.ax + i);
    const auto ay = hn::LoadU(d, scratch.ay + i);
    const auto bx = hn::LoadU(d, scratch.bx + i);
    const auto by = hn::LoadU(d, scratch.by + i);
    int32_t *segment = scratch.segment(i);
    const auto put = [&](SegmentColumn c, auto v) HWY_ATTR {
      hn::Store(v, di, segment + c * kSegmentGroup);
    };

    const auto dx = hn::Sub(bx, ax);
    const auto dy = hn::Sub(by, ay);
    const auto square = hn::Add(hn::Mul(dx, dx), hn::Mul(dy, dy));
    const auto length = hn::Sqrt(square);
    const auto is_dot = hn::Le(length, zero);
    // A dot has no direction: one half-way between axis and diagonal gives
    // it the most typical edge.
    const auto inverse = hn::Div(one, hn::IfThenElse(is_dot, one, length));
    const auto ux =
        hn::IfThenElse(is_dot, hn::Set(d, 0.9239F), hn::Mul(dx, inverse));
    const auto uy =
        hn::IfThenElse(is_dot, hn::Set(d, 0.3827F), hn::Mul(dy, inverse));
    const auto abs_ux = hn::Abs(ux);
    const auto abs_uy = hn::Abs(uy);
    const auto mx = hn::Mul(hn::Add(ax, bx), half);
    const auto my = hn::Mul(hn::Add(ay, by), half);

    const auto sx = hn::Mul(ux, scale);
    const auto sy = hn::Mul(uy, scale);
    const auto half_length =
        ToInt(hn::Mul(length, hn::Set(d, 0.5F * plan.scale)));
    const auto cut = hn::Min(half_length, length_limit);
    put(kHalfLength,
        ToInt(hn::Mul(hn::ConvertTo(d, cut), hn::Set(d, plan.stretch))));

    const auto reach = hn::Add(radius, hn::Mul(hn::Add(abs_ux, abs_uy), half));
    // First and one past the last pixel whose middle is within reach.
    const auto first = [&](Floats v)
                           HWY_ATTR { return ToInt(hn::Sub(v, reach)); };
    const auto past = [&](Floats v)
                          HWY_ATTR { return ToInt(hn::Add(v, reach)); };
    const auto x0 = hn::Max(first(hn::Min(ax, bx)), i_zero);
    put(kX0, x0);
    const auto x1 = hn::Min(past(hn::Max(ax, bx)), columns);
    put(kX1, x1);
    const auto y0 = hn::Max(first(hn::Min(ay, by)), i_zero);
    const auto y1 = hn::Min(past(hn::Max(ay, by)), rows);
    const auto band0 = hn::ShiftRight<1>(y0);
    put(kBand0, band0);
    const auto band1 = hn::ShiftRight<1>(hn::Add(y1, i_one));
    put(kBand1, band1);
    const auto in_sight = hn::And(hn::Lt(x0, x1), hn::Lt(band0, band1));
    const auto one_run =
        hn::And(hn::And(hn::Lt(hn::Sub(x1, x0), hn::Set(di, kBlockColumns + 1)),
                        hn::Lt(hn::Sub(band1, band0), hn::Set(di, kRun + 1))),
                hn::Eq(half_length, cut));
    put(kReach, hn::IfThenElseZero(in_sight,
                                   hn::IfThenElse(one_run, hn::Set(di, kOneRun),
                                                  hn::Set(di, kManyRuns))));

    const auto block_x = hn::Add(hn::ConvertTo(d, x0), half_block);
    const auto block_y =
        hn::ConvertTo(d, hn::Add(hn::ShiftLeft<1>(band0), i_one));
    const auto from_x = hn::Sub(block_x, mx);
    const auto from_y = hn::Sub(block_y, my);
    const auto unit = hn::Set(d, plan.scale);
    const auto stretched = hn::Set(d, plan.scale * plan.stretch);
    put(kFirstAcross,
        ToInt(
            hn::Mul(hn::Sub(hn::Mul(ux, from_y), hn::Mul(uy, from_x)), unit)));
    put(kFirstAlong,
        ToInt(hn::Mul(hn::Add(hn::Mul(ux, from_x), hn::Mul(uy, from_y)),
                      stretched)));
    const auto rows_a_block = hn::Set(d, static_cast<float>(kBlockRows));
    put(kAcrossStep, ToInt(hn::Mul(hn::Mul(ux, unit), rows_a_block)));
    put(kAlongStep, ToInt(hn::Mul(hn::Mul(uy, stretched), rows_a_block)));
    const auto eighths = hn::Set(d, 0.125F);
    put(kFineX, ToInt(hn::Mul(sx, eighths)));
    put(kFineY, ToInt(hn::Mul(sy, eighths)));

    // Rounding down takes the half off; 0 and an axis' -0.5 both become 0.
    const auto direction = ToInt(hn::Sub(
        hn::Mul(hn::Min(abs_ux, abs_uy), hn::Set(d, kDirections * 1.41421356F)),
        half));
    put(kDirection, hn::Min(direction, hn::Set(di, kDirections - 1)));

    if (hn::AllTrue(di, hn::Or(one_run, hn::Not(in_sight)))) continue;
    // What only long segments need.
    put(kAlongX, ToInt(sx));
    put(kAlongY, ToInt(sy));
    // The halves make the later shifts round to nearest.
    put(kAcross0, ToLargeInt(hn::Add(hn::Sub(hn::Mul(sy, mx), hn::Mul(sx, my)),
                                     hn::Set(d, 32.0F))));
    put(kAlong0,
        ToLargeInt(hn::Sub(hn::Neg(hn::Mul(sx, mx)), hn::Mul(sy, my))));
    put(kGap, hn::ShiftLeft<6>(hn::Sub(half_length, cut)));

    // Where the line crosses a strip; nearly upright lines use their box.
    const auto flat = hn::Gt(abs_ux, hn::Set(d, 1.0F / 64.0F));
    const auto per_x = hn::Div(one, hn::IfThenElse(flat, ux, one));
    const auto slope = hn::IfThenElseZero(flat, hn::Mul(uy, per_x));
    const auto span = hn::Add(
        hn::Add(hn::Mul(reach, hn::Abs(per_x)),
                hn::Mul(hn::Abs(slope), hn::Set(d, 0.5F * kBlockColumns))),
        hn::Set(d, 1.0F));
    const auto crossing = hn::Add(my, hn::Mul(from_x, slope));
    const auto fixed = hn::Set(d, 256.0F);
    const auto no_limit = hn::Set(d, 2097152.0F);
    put(kMiddle, ToInt(hn::Mul(crossing, fixed)));
    put(kSlope, ToInt(hn::Mul(slope, hn::Set(d, 256.0F * kBlockColumns))));
    put(kHalfSpan,
        ToInt(hn::IfThenElse(flat, hn::Min(hn::Mul(span, fixed), no_limit),
                             no_limit)));
  }
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_SEGMENT_SETUP_INL

// One segment's coverage, block by block, into the stroke's cover buffer.
// Included once for each target.
//
// A block is 16 columns by two rows, 32 lanes of 16 bits in the order of the
// buffer (column, then row); targets with shorter vectors take it in parts.
// In a lane, with all lengths in units of the plan's scale:
//   across = distance from the segment's line
//   beyond = max(|distance from its middle along it| - half its length, 0)
//   index  = (across^2 + beyond^2 >> 15) - inner, saturated to 0..127
#if defined(INKSTREAM_CAPSULE_BLOCKS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef INKSTREAM_CAPSULE_BLOCKS_INL
#undef INKSTREAM_CAPSULE_BLOCKS_INL
#else
#define INKSTREAM_CAPSULE_BLOCKS_INL
#endif

#include <algorithm>

#include "hwy/highway.h"
#include "server/raster/draw_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using LaneTag = hn::CappedTag<int16_t, 32>;
using UnsignedLaneTag = hn::RebindToUnsigned<LaneTag>;
using CoverTag = hn::Rebind<uint8_t, LaneTag>;
using IndexTag = hn::Rebind<int8_t, LaneTag>;
using Lanes16 = hn::Vec<LaneTag>;

constexpr size_t kPartLanes = hn::MaxLanes(LaneTag());
constexpr size_t kParts = kBlockLanes / kPartLanes;

// All 16 entries of a table also where fewer lanes are looked up at a time.
using TableTag = hn::CappedTag<uint8_t, HWY_MAX(kPartLanes, 16)>;

// Coverage of an index of 0..127 by one direction's table.
class CoverLookup {
 public:
#if HWY_TARGET == HWY_AVX3_DL
  HWY_INLINE CoverLookup(const CapsulePlan &plan, int direction)
      : low_(_mm512_load_si512(plan.cover[direction])),
        high_(_mm512_load_si512(plan.cover[direction] + 64)) {}
  HWY_INLINE hn::Vec<CoverTag> operator()(hn::Vec<IndexTag> index) const {
    return hn::Vec<CoverTag>{_mm512_castsi512_si256(_mm512_permutex2var_epi8(
        low_, _mm512_castsi256_si512(index.raw), high_))};
  }

 private:
  __m512i low_;
  __m512i high_;
#elif HWY_TARGET == HWY_SCALAR
  HWY_INLINE CoverLookup(const CapsulePlan &plan, int direction)
      : table_(plan.cover[direction]) {}
  HWY_INLINE hn::Vec<CoverTag> operator()(hn::Vec<IndexTag> index) const {
    return hn::Set(CoverTag(), table_[hn::GetLane(index)]);
  }

 private:
  const uint8_t *table_;
#else
  HWY_INLINE CoverLookup(const CapsulePlan &plan, int direction)
#if HWY_ARCH_X86
      // The index of a look-up wraps at 16 unless it is negative, so each
      // step is taken by every index at or above it.
      : steps_(plan.cover_steps[direction]) {
  }
#else
      // An index outside 0..15 gives 0.
      : steps_(plan.cover[direction]) {
  }
#endif
  HWY_INLINE hn::Vec<CoverTag> operator()(hn::Vec<IndexTag> index) const {
    const CoverTag d;
    const IndexTag di;
    auto cover = hn::Zero(d);
    for (int k = 0; k < kCoverEntries / 16; ++k) {
      const auto table = hn::LoadDup128(TableTag(), steps_ + 16 * k);
      const auto at = hn::BitCast(
          d, hn::Sub(index, hn::Set(di, static_cast<int8_t>(16 * k))));
      cover = hn::Xor(cover, hn::TableLookupBytes(table, at));
    }
    return cover;
  }

 private:
  const uint8_t *steps_;
#endif
};

// The part of the cover buffer that a stroke has touched.
struct Touched {
  int32_t x0 = INT32_MAX;
  int32_t x1 = 0;
  int32_t band0 = INT32_MAX;
  int32_t band1 = 0;
};

// Bands that are reached from one by adding up steps; more would let the
// steps' rounding show. Fewer where the middle of a long segment is cut out:
// there, lanes may be off along the segment by these bands' height.
constexpr int32_t kRun = 8;
constexpr int32_t kRunOfLong = 4;

HWY_INLINE void DrawSegment(const CapsulePlan &plan, const int32_t *segment,
                            uint8_t *HWY_RESTRICT cover, Touched &touched) {
  const LaneTag d;
  const UnsignedLaneTag du;
  const CoverTag dc;
  const auto get = [&](SegmentColumn c) { return segment[c * kSegmentGroup]; };
  const int32_t x0 = get(kX0);
  const int32_t x1 = get(kX1);
  const int32_t band0 = get(kBand0);
  const int32_t band1 = get(kBand1);
  if (HWY_UNLIKELY(x0 >= x1 || band0 >= band1)) return;
  touched.x0 = std::min(touched.x0, x0);
  touched.x1 = std::max(touched.x1, x1);
  touched.band0 = std::min(touched.band0, band0);
  touched.band1 = std::max(touched.band1, band1);

  const CoverLookup lookup(plan, get(kDirection));
  const int32_t along_x = get(kAlongX);
  const int32_t along_y = get(kAlongY);
  const int32_t gap = get(kGap);
  const auto half_length = hn::Set(du, static_cast<uint16_t>(get(kHalfLength)));
  const auto inner = hn::Set(du, plan.inner);
  const auto set = [&](int32_t v)
                       HWY_ATTR { return hn::Set(d, static_cast<int16_t>(v)); };
  const auto stretched = [&](int32_t v) {
    return (v * plan.stretch_fixed + (1 << 11)) >> 12;
  };
  const auto across_step = set((kBlockRows * along_x + 32) >> 6);
  const auto along_step = set(stretched((kBlockRows * along_y + 32) >> 6));
  Lanes16 across_lanes[kParts];
  Lanes16 along_lanes[kParts];
  {
    const auto fine_x = set(along_x >> 3);
    const auto fine_y = set(along_y >> 3);
    for (size_t p = 0; p < kParts; ++p) {
      const size_t at = p * kPartLanes;
      const auto of = [&](const int16_t *offsets, auto v) HWY_ATTR {
        return hn::MulFixedPoint15(hn::Load(d, offsets + at), v);
      };
      across_lanes[p] =
          hn::Sub(of(plan.lane_y, fine_x), of(plan.lane_x, fine_y));
      along_lanes[p] = hn::Add(of(plan.stretched_lane_x, fine_x),
                               of(plan.stretched_lane_y, fine_y));
    }
  }

  const size_t stride = size_t{2} * plan.pitch;
  const int32_t longest_run = gap == 0 ? kRun : kRunOfLong;
  const bool narrow = x1 - x0 <= kBlockColumns;
  int32_t middle = get(kMiddle);
  const int32_t slope = get(kSlope);
  const int32_t span = get(kHalfSpan);
  for (int32_t x = x0; x < x1; x += kBlockColumns, middle += slope) {
    int32_t band = band0;
    int32_t past = band1;
    if (!narrow) {
      band = std::max((middle - span) >> 13, band0);
      past = std::min(((middle + span) >> 13) + 1, band1);
    }
    const int32_t cx = x + kBlockColumns / 2;
    while (band < past) {
      const int32_t run = std::min(past - band, longest_run);
      const int32_t cy = kBlockRows * band + 1;
      const int32_t across = (get(kAcross0) + along_x * cy - along_y * cx) >> 6;
      int32_t along = get(kAlong0) + along_x * cx + along_y * cy;
      // The middle of the run decides what is cut out.
      const int32_t to_middle = along_y * (run - 1);
      along -= std::clamp(along + to_middle, -gap, gap);
      along = stretched((along + 32) >> 6);
      Lanes16 across_now[kParts];
      Lanes16 along_now[kParts];
      for (size_t p = 0; p < kParts; ++p) {
        across_now[p] = hn::Add(set(across), across_lanes[p]);
        along_now[p] = hn::Add(set(along), along_lanes[p]);
      }
      uint8_t *at = cover + static_cast<size_t>(band) * stride + 2 * x;
      band += run;
      for (int32_t i = 0; i < run; ++i, at += stride) {
        for (size_t p = 0; p < kParts; ++p) {
          const auto beyond = hn::BitCast(
              d, hn::SaturatedSub(hn::BitCast(du, hn::Abs(along_now[p])),
                                  half_length));
          const auto square = hn::SaturatedAdd(
              hn::MulFixedPoint15(across_now[p], across_now[p]),
              hn::MulFixedPoint15(beyond, beyond));
          const auto index = hn::DemoteTo(
              IndexTag(),
              hn::BitCast(d, hn::SaturatedSub(hn::BitCast(du, square), inner)));
          uint8_t *to = at + p * kPartLanes;
          hn::StoreU(hn::Max(hn::LoadU(dc, to), lookup(index)), dc, to);
          across_now[p] = hn::Add(across_now[p], across_step);
          along_now[p] = hn::Add(along_now[p], along_step);
        }
      }
    }
  }
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_CAPSULE_BLOCKS_INL

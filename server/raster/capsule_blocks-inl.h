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
  HWY_INLINE CoverLookup(const CapsulePlan& plan, int direction)
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
  HWY_INLINE CoverLookup(const CapsulePlan& plan, int direction)
      : table_(plan.cover[direction]) {}
  HWY_INLINE hn::Vec<CoverTag> operator()(hn::Vec<IndexTag> index) const {
    return hn::Set(CoverTag(), table_[hn::GetLane(index)]);
  }

 private:
  const uint8_t* table_;
#else
  HWY_INLINE CoverLookup(const CapsulePlan& plan, int direction)
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
  const uint8_t* steps_;
#endif
};

// What stays the same for all blocks of one segment.
struct CapsuleLanes {
  HWY_INLINE CapsuleLanes(const CapsulePlan& plan, const int32_t* segment)
      : lookup(plan, segment[kDirection * kSegmentGroup]),
        half_length(Broadcast(segment[kHalfLength * kSegmentGroup])),
        inner(Broadcast(plan.inner)),
        across_step(Broadcast(segment[kAcrossStep * kSegmentGroup])),
        along_step(Broadcast(segment[kAlongStep * kSegmentGroup])) {
    const LaneTag d;
    const auto fine_x = Broadcast(segment[kFineX * kSegmentGroup]);
    const auto fine_y = Broadcast(segment[kFineY * kSegmentGroup]);
    for (size_t p = 0; p < kParts; ++p) {
      const size_t at = p * kPartLanes;
      const auto of = [&](const int16_t* offsets, Lanes16 v) HWY_ATTR {
        return hn::MulFixedPoint15(hn::Load(d, offsets + at), v);
      };
      across[p] = hn::Sub(of(plan.lane_y, fine_x), of(plan.lane_x, fine_y));
      along[p] = hn::Add(of(plan.stretched_lane_x, fine_x),
                         of(plan.stretched_lane_y, fine_y));
    }
  }

  static HWY_INLINE Lanes16 Broadcast(int32_t v) {
    return hn::Set(LaneTag(), static_cast<int16_t>(v));
  }

  const CoverLookup lookup;
  const Lanes16 half_length;
  const Lanes16 inner;
  const Lanes16 across_step;  // from one band to the next
  const Lanes16 along_step;
  Lanes16 across[kParts];  // from the block's middle
  Lanes16 along[kParts];
};

// Unites `run` blocks below each other with the buffer at `to`; across and
// along are those of the first block's middle.
HWY_INLINE void DrawRun(const CapsuleLanes& lanes, int32_t across,
                        int32_t along, int32_t run, size_t stride,
                        uint8_t* HWY_RESTRICT to) {
  const LaneTag d;
  const UnsignedLaneTag du;
  const CoverTag dc;
  Lanes16 across_now[kParts];
  Lanes16 along_now[kParts];
  for (size_t p = 0; p < kParts; ++p) {
    across_now[p] = hn::Add(lanes.Broadcast(across), lanes.across[p]);
    along_now[p] = hn::Add(lanes.Broadcast(along), lanes.along[p]);
  }
  const auto minus = [&](Lanes16 a, Lanes16 b) HWY_ATTR {
    return hn::BitCast(
        d, hn::SaturatedSub(hn::BitCast(du, a), hn::BitCast(du, b)));
  };
  do {
    for (size_t p = 0; p < kParts; ++p) {
      const auto beyond = minus(hn::Abs(along_now[p]), lanes.half_length);
      const auto square =
          hn::SaturatedAdd(hn::MulFixedPoint15(across_now[p], across_now[p]),
                           hn::MulFixedPoint15(beyond, beyond));
      const auto index = hn::DemoteTo(IndexTag(), minus(square, lanes.inner));
      uint8_t* at = to + p * kPartLanes;
      hn::StoreU(hn::Max(hn::LoadU(dc, at), lanes.lookup(index)), dc, at);
      across_now[p] = hn::Add(across_now[p], lanes.across_step);
      along_now[p] = hn::Add(along_now[p], lanes.along_step);
    }
    to += stride;
  } while (--run > 0);
}

// A segment that one run covers.
HWY_INLINE void DrawShortSegment(const CapsulePlan& plan,
                                 const int32_t* segment, uint8_t* cover) {
  const auto get = [&](SegmentColumn c) { return segment[c * kSegmentGroup]; };
  const size_t stride = size_t{2} * plan.pitch;
  const int32_t band0 = get(kBand0);
  DrawRun(CapsuleLanes(plan, segment), get(kFirstAcross), get(kFirstAlong),
          get(kBand1) - band0, stride,
          cover + static_cast<size_t>(band0) * stride + 2 * get(kX0));
}

// Any other: strips of 16 columns, each in runs of bands.
HWY_NOINLINE void DrawLongSegment(const CapsulePlan& plan,
                                  const int32_t* segment, uint8_t* cover) {
  const auto get = [&](SegmentColumn c) { return segment[c * kSegmentGroup]; };
  const CapsuleLanes lanes(plan, segment);
  const int32_t x0 = get(kX0);
  const int32_t x1 = get(kX1);
  const int32_t band0 = get(kBand0);
  const int32_t band1 = get(kBand1);
  const int32_t along_x = get(kAlongX);
  const int32_t along_y = get(kAlongY);
  const int32_t gap = get(kGap);
  const int32_t longest_run = gap == 0 ? kRun : kRunOfLong;
  const bool narrow = x1 - x0 <= kBlockColumns;
  const size_t stride = size_t{2} * plan.pitch;
  const int32_t slope = get(kSlope);
  const int32_t span = get(kHalfSpan);
  int32_t middle = get(kMiddle);
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
      along -= std::clamp(along + along_y * (run - 1), -gap, gap);
      along = (((along + 32) >> 6) * plan.stretch_fixed + (1 << 11)) >> 12;
      DrawRun(lanes, across, along, run, stride,
              cover + static_cast<size_t>(band) * stride + 2 * x);
      band += run;
    }
  }
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_CAPSULE_BLOCKS_INL

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
#include "server/raster/draw/draw_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using LaneTag = hn::CappedTag<int16_t, kBlockLanes>;
using Lanes16 = hn::Vec<LaneTag>;
#if HWY_TARGET == HWY_SCALAR
using ByteTag = hn::Rebind<uint8_t, LaneTag>;
#else
// Coverage is looked up for two vectors of lanes at a time.
using ByteTag = hn::Repartition<uint8_t, LaneTag>;
#endif
using Bytes = hn::Vec<ByteTag>;

constexpr size_t kVectorLanes = hn::MaxLanes(LaneTag());
// Vectors of 32 lanes are drawn for two bands at once.
constexpr size_t kBandsAtOnce = kVectorLanes == kBlockLanes ? 2 : 1;
constexpr size_t kVectors = kBandsAtOnce * kBlockLanes / kVectorLanes;

// Coverage of indices, by one direction's table. Indices above 127 count as
// 127.
class CoverLookup {
 public:
#if HWY_TARGET == HWY_SCALAR
  HWY_INLINE CoverLookup(const CapsulePlan& plan, int direction)
      : table_(plan.cover[direction]) {}
  HWY_INLINE Bytes operator()(Lanes16 index) const {
    return hn::Set(ByteTag(), table_[std::min<int>(hn::GetLane(index), 127)]);
  }

 private:
  const uint8_t* table_;
#else
  HWY_INLINE Bytes operator()(Lanes16 low, Lanes16 high) const {
    return OfBytes(Pack(low, high));
  }

 private:
  // Saturates to 0..127; the lanes of `low` come first.
  static HWY_INLINE Bytes Pack(Lanes16 low, Lanes16 high) {
#if HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_AVX3
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    return Bytes{
        _mm512_permutexvar_epi64(order, _mm512_packs_epi16(low.raw, high.raw))};
#elif HWY_TARGET == HWY_AVX2
    return Bytes{_mm256_permute4x64_epi64(_mm256_packs_epi16(low.raw, high.raw),
                                          _MM_SHUFFLE(3, 1, 2, 0))};
#else
    const hn::Repartition<int8_t, LaneTag> d;
    const hn::Half<decltype(d)> half;
    return hn::BitCast(ByteTag(), hn::Combine(d, hn::DemoteTo(half, high),
                                              hn::DemoteTo(half, low)));
#endif
  }

#if HWY_TARGET == HWY_AVX3_DL
 public:
  HWY_INLINE CoverLookup(const CapsulePlan& plan, int direction)
      : low_(_mm512_load_si512(plan.cover[direction])),
        high_(_mm512_load_si512(plan.cover[direction] + 64)) {}

 private:
  HWY_INLINE Bytes OfBytes(Bytes index) const {
    return Bytes{_mm512_permutex2var_epi8(low_, index.raw, high_)};
  }

  __m512i low_;
  __m512i high_;
#else
 public:
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

 private:
  HWY_INLINE Bytes OfBytes(Bytes index) const {
    const ByteTag d;
    Bytes cover = hn::TableLookupBytes(hn::LoadDup128(d, steps_), index);
    for (int k = 1; k < kCoverEntries / 16; ++k) {
      index = hn::Sub(index, hn::Set(d, 16));
      cover = hn::Xor(cover, hn::TableLookupBytes(
                                 hn::LoadDup128(d, steps_ + 16 * k), index));
    }
    return cover;
  }

  const uint8_t* steps_;
#endif
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
    for (size_t v = 0; v < kVectors; ++v) {
      const size_t at = v * kVectorLanes % kBlockLanes;
      const auto of = [&](const int16_t* offsets, Lanes16 fine) HWY_ATTR {
        return hn::MulFixedPoint15(hn::Load(d, offsets + at), fine);
      };
      across[v] = hn::Sub(of(plan.lane_y, fine_x), of(plan.lane_x, fine_y));
      along[v] = hn::Add(of(plan.stretched_lane_x, fine_x),
                         of(plan.stretched_lane_y, fine_y));
    }
    if (kBandsAtOnce == 2) {
      across[1] = hn::Add(across[0], across_step);
      along[1] = hn::Add(along[0], along_step);
      across_step = hn::Add(across_step, across_step);
      along_step = hn::Add(along_step, along_step);
    }
  }

  static HWY_INLINE Lanes16 Broadcast(int32_t v) {
    return hn::Set(LaneTag(), static_cast<int16_t>(v));
  }

  const CoverLookup lookup;
  const Lanes16 half_length;
  const Lanes16 inner;
  Lanes16 across_step;  // over kBandsAtOnce bands
  Lanes16 along_step;
  Lanes16 across[kVectors];  // from the first block's middle
  Lanes16 along[kVectors];
};

// Unites coverage with what the buffer holds.
struct InkSink {
  template <class D>
  HWY_INLINE void Unite(D d, hn::Vec<D> cover, uint8_t* to) const {
    hn::StoreU(hn::Max(hn::LoadU(d, to), cover), d, to);
  }
};

// The same, and notes the segment's values wherever it covers at least as much
// as those before it.
struct ValueSink {
  template <class D>
  HWY_INLINE void Unite(D d, hn::Vec<D> cover, uint8_t* to) const {
    const auto most = hn::Max(hn::LoadU(d, to), cover);
    hn::StoreU(most, d, to);
    const auto mine = hn::Eq(most, cover);
    uint8_t* at = planes + (to - buffer);
    for (int k = 0; k < count; ++k, at += plane_bytes) {
      hn::StoreU(hn::IfThenElse(mine, hn::Set(d, values[k]), hn::LoadU(d, at)),
                 d, at);
    }
  }

  const uint8_t* buffer;
  uint8_t* planes;
  size_t plane_bytes;
  const uint8_t* values;  // [count]
  int count;
};

// Unites `run` blocks below each other, or one more to make the number even,
// with the buffer at `to`; across and along are those of the first block's
// middle.
template <class Sink>
HWY_INLINE void DrawRun(const CapsuleLanes& lanes, const Sink& sink,
                        int32_t across, int32_t along, int32_t run,
                        size_t stride, uint8_t* HWY_RESTRICT to) {
  const LaneTag d;
  const hn::RebindToUnsigned<LaneTag> du;
  const ByteTag d8;
  Lanes16 across_now[kVectors];
  Lanes16 along_now[kVectors];
  for (size_t v = 0; v < kVectors; ++v) {
    across_now[v] = hn::Add(lanes.Broadcast(across), lanes.across[v]);
    along_now[v] = hn::Add(lanes.Broadcast(along), lanes.along[v]);
  }
  const auto minus = [&](Lanes16 a, Lanes16 b) HWY_ATTR {
    return hn::BitCast(
        d, hn::SaturatedSub(hn::BitCast(du, a), hn::BitCast(du, b)));
  };
  // The index of vector v, which then moves on.
  const auto index = [&](size_t v) HWY_ATTR {
    const auto beyond = minus(hn::Abs(along_now[v]), lanes.half_length);
    const auto square =
        hn::SaturatedAdd(hn::MulFixedPoint15(across_now[v], across_now[v]),
                         hn::MulFixedPoint15(beyond, beyond));
    across_now[v] = hn::Add(across_now[v], lanes.across_step);
    along_now[v] = hn::Add(along_now[v], lanes.along_step);
    return minus(square, lanes.inner);
  };
  for (run = (run + 1) / 2; run > 0; --run) {
#if HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_AVX3
    const hn::Half<ByteTag> half;
    const auto first = index(0);
    const auto cover = lanes.lookup(first, index(1));
    sink.Unite(half, hn::LowerHalf(half, cover), to);
    to += stride;
    sink.Unite(half, hn::UpperHalf(half, cover), to);
    to += stride;
#else
    for (int band = 0; band < 2; ++band, to += stride) {
#if HWY_TARGET == HWY_SCALAR
      for (size_t v = 0; v < kVectors; ++v) {
        sink.Unite(d8, lanes.lookup(index(v)), to + v);
      }
#else
      for (size_t v = 0; v < kVectors; v += 2) {
        const auto first = index(v);
        const auto cover = lanes.lookup(first, index(v + 1));
        sink.Unite(d8, cover, to + v * kVectorLanes);
      }
#endif
    }
#endif
  }
}

// A segment that one run covers.
template <class Sink>
HWY_INLINE void DrawShortSegment(const CapsulePlan& plan, const Sink& sink,
                                 const int32_t* segment, uint8_t* cover) {
  const auto get = [&](SegmentColumn c) { return segment[c * kSegmentGroup]; };
  const size_t stride = size_t{2} * plan.pitch;
  const int32_t band0 = get(kBand0);
  DrawRun(CapsuleLanes(plan, segment), sink, get(kFirstAcross),
          get(kFirstAlong), std::max(get(kBand1) - band0, plan.least_run),
          stride, cover + static_cast<size_t>(band0) * stride + 2 * get(kX0));
}

// Any other: strips of 16 columns, each in runs of bands.
template <class Sink>
HWY_NOINLINE void DrawLongSegment(const CapsulePlan& plan, const Sink& sink,
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
      band = std::max((middle - span) >> 9, band0);
      past = std::min(((middle + span) >> 9) + 1, band1);
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
      DrawRun(lanes, sink, across, along, run, stride,
              cover + static_cast<size_t>(band) * stride + 2 * x);
      band += run;
    }
  }
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_CAPSULE_BLOCKS_INL

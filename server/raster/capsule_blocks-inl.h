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
constexpr size_t kParts = 32 / kPartLanes;

// Twice the offset of a lane from the block's middle, times 2048.
struct LaneOffsets {
  HWY_ALIGN int16_t x[32];
  HWY_ALIGN int16_t y[32];
};
constexpr LaneOffsets MakeLaneOffsets() {
  LaneOffsets offsets{};
  for (int i = 0; i < 32; ++i) {
    offsets.x[i] = static_cast<int16_t>((2 * (i / 2) - 15) * 2048);
    offsets.y[i] = static_cast<int16_t>((2 * (i % 2) - 1) * 2048);
  }
  return offsets;
}
inline constexpr LaneOffsets kLaneOffsets = MakeLaneOffsets();

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
      const auto table = hn::LoadDup128(d, steps_ + 16 * k);
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

// The lanes of a block for one segment.
class CapsuleBlock {
 public:
  HWY_INLINE CapsuleBlock(const CapsulePlan& plan, const DrawScratch& scratch,
                          size_t segment)
      : lookup_(plan, scratch.column[kDirection][segment]),
        half_length_(hn::Set(
            UnsignedLaneTag(),
            static_cast<uint16_t>(scratch.column[kHalfLength][segment] >> 1))),
        inner_(hn::Set(UnsignedLaneTag(), plan.inner)),
        along_x_(scratch.column[kAlongX][segment]),
        along_y_(scratch.column[kAlongY][segment]),
        across0_(scratch.column[kAcross0][segment]),
        along0_(scratch.column[kAlong0][segment]),
        gap_(scratch.column[kGap][segment]),
        limit_(plan.position_limit) {
    const LaneTag d;
    const auto fine_x = hn::Set(d, static_cast<int16_t>(along_x_ >> 3));
    const auto fine_y = hn::Set(d, static_cast<int16_t>(along_y_ >> 3));
    const auto half_x = hn::Set(d, static_cast<int16_t>(along_x_ >> 4));
    const auto half_y = hn::Set(d, static_cast<int16_t>(along_y_ >> 4));
    for (size_t p = 0; p < kParts; ++p) {
      const auto x = hn::Load(d, kLaneOffsets.x + p * kPartLanes);
      const auto y = hn::Load(d, kLaneOffsets.y + p * kPartLanes);
      across_lanes_[p] = hn::Sub(hn::MulFixedPoint15(y, fine_x),
                                 hn::MulFixedPoint15(x, fine_y));
      along_lanes_[p] = hn::Add(hn::MulFixedPoint15(x, half_x),
                                hn::MulFixedPoint15(y, half_y));
    }
  }

  // Moves to the block whose first column is x, in `band`.
  HWY_INLINE void MoveTo(int32_t x, int32_t band) {
    const LaneTag d;
    const int32_t cx = x + kBlockColumns / 2;
    const int32_t cy = kBlockRows * band + 1;
    const int32_t across = (across0_ + along_x_ * cy - along_y_ * cx) >> 6;
    int32_t along = along0_ + along_x_ * cx + along_y_ * cy;
    along -= std::clamp(along, -gap_, gap_);
    const auto across_base =
        hn::Set(d, static_cast<int16_t>(std::clamp(across, -limit_, limit_)));
    const auto along_base = hn::Set(
        d,
        static_cast<int16_t>(std::clamp((along + 64) >> 7, -limit_, limit_)));
    for (size_t p = 0; p < kParts; ++p) {
      across_[p] = hn::Add(across_base, across_lanes_[p]);
      along_[p] = hn::Add(along_base, along_lanes_[p]);
    }
  }

  // Unites the block's coverage with what stands at `cover`.
  HWY_INLINE void Draw(uint8_t* HWY_RESTRICT cover) const {
    const LaneTag d;
    const UnsignedLaneTag du;
    const CoverTag dc;
    for (size_t p = 0; p < kParts; ++p) {
      const auto half_beyond = hn::BitCast(
          d,
          hn::SaturatedSub(hn::BitCast(du, hn::Abs(along_[p])), half_length_));
      const auto beyond = hn::SaturatedAdd(half_beyond, half_beyond);
      const auto square =
          hn::SaturatedAdd(hn::MulFixedPoint15(across_[p], across_[p]),
                           hn::MulFixedPoint15(beyond, beyond));
      const auto index = hn::DemoteTo(
          IndexTag(),
          hn::BitCast(d, hn::SaturatedSub(hn::BitCast(du, square), inner_)));
      uint8_t* at = cover + p * kPartLanes;
      hn::StoreU(hn::Max(hn::LoadU(dc, at), lookup_(index)), dc, at);
    }
  }

 private:
  CoverLookup lookup_;
  hn::Vec<UnsignedLaneTag> half_length_;
  hn::Vec<UnsignedLaneTag> inner_;
  int32_t along_x_;
  int32_t along_y_;
  int32_t across0_;
  int32_t along0_;
  int32_t gap_;
  int32_t limit_;
  Lanes16 across_lanes_[kParts];
  Lanes16 along_lanes_[kParts];
  Lanes16 across_[kParts];
  Lanes16 along_[kParts];
};

// The part of the cover buffer that a stroke has touched.
struct Touched {
  int32_t x0 = INT32_MAX;
  int32_t x1 = 0;
  int32_t band0 = INT32_MAX;
  int32_t band1 = 0;
};

HWY_INLINE void DrawSegment(const CapsulePlan& plan, size_t segment,
                            DrawScratch& scratch, Touched& touched) {
  const int32_t x0 = scratch.column[kX0][segment];
  const int32_t x1 = scratch.column[kX1][segment];
  const int32_t band0 = scratch.column[kBand0][segment];
  const int32_t band1 = scratch.column[kBand1][segment];
  if (x0 >= x1 || band0 >= band1) return;
  touched.x0 = std::min(touched.x0, x0);
  touched.x1 = std::max(touched.x1, x1);
  touched.band0 = std::min(touched.band0, band0);
  touched.band1 = std::max(touched.band1, band1);

  CapsuleBlock block(plan, scratch, segment);
  const size_t stride = size_t{2} * plan.pitch;
  uint8_t* row = scratch.cover + static_cast<size_t>(band0) * stride;
  if (x1 - x0 <= kBlockColumns) {
    for (int32_t band = band0; band < band1; ++band, row += stride) {
      block.MoveTo(x0, band);
      block.Draw(row + 2 * x0);
    }
    return;
  }
  int32_t middle = scratch.column[kMiddle][segment];
  const int32_t slope = scratch.column[kSlope][segment];
  const int32_t span = scratch.column[kHalfSpan][segment];
  for (int32_t band = band0; band < band1; ++band, row += stride) {
    const int32_t first = std::max((middle - span) >> 12, x0);
    const int32_t past = std::min(((middle + span) >> 12) + 1, x1);
    for (int32_t x = first; x < past; x += kBlockColumns) {
      block.MoveTo(x, band);
      block.Draw(row + 2 * x);
    }
    middle += slope;
  }
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_CAPSULE_BLOCKS_INL

// Lanes of a vector moved together. Included once for each target.
#if defined(INKSTREAM_KEPT_LANES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef INKSTREAM_KEPT_LANES_INL
#undef INKSTREAM_KEPT_LANES_INL
#else
#define INKSTREAM_KEPT_LANES_INL
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "server/raster/draw/span_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX2

// Which lanes stay for each of 256 masks, 4 bits a lane. Highway 1.0 has such a
// table on the stack and copies all of it in every call.
struct LaneTable {
  constexpr LaneTable() {
    for (uint32_t mask = 0; mask < 256; ++mask) {
      uint32_t kept = 0;
      for (uint32_t lane = 0; lane < 8; ++lane) {
        if ((mask >> lane & 1U) != 0) packed[mask] |= lane << 4 * kept++;
      }
    }
  }
  uint32_t packed[256] = {};
};
inline constexpr LaneTable kLaneTable;

#endif

// Moves the lanes of a mask to the front, in their order; lanes after them have
// no meaning.
class KeptLanes {
 public:
  explicit HWY_INLINE KeptLanes(hn::Mask<FloatTag> kept) {
#if HWY_TARGET == HWY_AVX2
    const FloatTag d;
    const hn::RebindToUnsigned<FloatTag> du;
    alignas(8) uint8_t bits[8] = {};
    hn::StoreMaskBits(d, kept, bits);
    alignas(32) static constexpr uint32_t kShifts[8] = {0,  4,  8,  12,
                                                        16, 20, 24, 28};
    const auto packed = hn::Set(du, kLaneTable.packed[bits[0]]);
    lanes_ = hn::IndicesFromVec(
        d, hn::And(hn::Shr(packed, hn::Load(du, kShifts)), hn::Set(du, 7)));
    count_ = hwy::PopCount(bits[0]);
#else
    kept_ = kept;
    count_ = hn::CountTrue(FloatTag(), kept);
#endif
  }

  HWY_INLINE size_t count() const { return count_; }

  HWY_INLINE Floats operator()(Floats v) const {
#if HWY_TARGET == HWY_AVX2
    return hn::TableLookupLanes(v, lanes_);
#else
    return hn::Compress(v, kept_);
#endif
  }

 private:
#if HWY_TARGET == HWY_AVX2
  decltype(hn::IndicesFromVec(
      FloatTag(), hn::Vec<hn::RebindToUnsigned<FloatTag>>())) lanes_;
#else
  hn::Mask<FloatTag> kept_;
#endif
  size_t count_;
};

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_KEPT_LANES_INL

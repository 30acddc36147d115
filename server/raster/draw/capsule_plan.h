// Everything about an image spec that its drawings share: sample grid, fixed
// point scales, and the tables from squared distance to coverage.
//
// Thread safety: a plan is a plain value, never changed after it was made; a
// cache is for one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "inkstream/image_spec.h"

namespace inkstream::raster {

// Directions are told apart by min(|ux|, |uy|) of their unit vector, since a
// square pixel looks the same after a quarter turn or a mirror.
inline constexpr int kDirections = 8;
inline constexpr int kCoverEntries = 128;

// Pixels are evaluated in blocks of this many columns by two rows.
inline constexpr int kBlockColumns = 16;
inline constexpr int kBlockRows = 2;
inline constexpr int kBlockLanes = kBlockColumns * kBlockRows;

// Rows of the image under work are a multiple of this many pixels long.
inline constexpr int kRowAlignment = 32;

struct CapsulePlan {
  uint32_t height = 0;  // of the image, pixels
  uint32_t width = 0;
  uint32_t samples = 1;  // a pixel and axis
  uint32_t rows = 0;     // of the sample grid
  uint32_t columns = 0;
  uint32_t image_pitch = 0;  // pixels from one row to the next
  uint32_t pitch = 0;  // samples from one row to the next in the cover buffer

  float radius = 0.0F;  // samples
  // Pairs of rows that short segments are drawn with at least; see
  // capsule_plan.cc.
  int32_t least_run = 2;
  // Fixed-point units a sample. Rounded products of two such lengths, shifted
  // right by 15, are indices into `cover` once `inner` is taken off.
  float scale = 0.0F;
  uint16_t inner = 0;
  // Half lengths above this many units are cut short together with the
  // distance from the segment's middle, so that both fit 16 bits.
  int32_t half_length_limit = 0;

  // Lengths along a segment count this much more, also in 1/4096.
  float stretch = 1.0F;
  int32_t stretch_fixed = 4096;
  // Twice the offset of a block's lanes from its middle, times 2048: column,
  // then row.
  alignas(64) int16_t lane_x[kBlockLanes] = {};
  alignas(64) int16_t lane_y[kBlockLanes] = {};
  alignas(64) int16_t stretched_lane_x[kBlockLanes] = {};
  alignas(64) int16_t stretched_lane_y[kBlockLanes] = {};

  // Coverage 0..255 by direction and squared distance; the last entry is 0.
  alignas(64) uint8_t cover[kDirections][kCoverEntries] = {};
  // The same for table look-ups of 16 entries whose index wraps: row k holds
  // cover[16 k ..] xor cover[16 (k - 1) ..].
  alignas(64) uint8_t cover_steps[kDirections][kCoverEntries] = {};
};

// For a line of `line_width` units of the canvas, in the frame of `spec`.
CapsulePlan MakeCapsulePlan(const ImageSpec& spec, float line_width);

// The plans of one image spec, one a line width.
//
// Line widths are rounded to 64 steps an octave; two octaves of plans, about
// 300 KB, are kept, and one made costs about as much as twenty drawings.
class PlanCache {
 public:
  explicit PlanCache(const ImageSpec& spec);

  // For `factor` times the spec's line width; see DrawOptions. Valid until the
  // next call.
  const CapsulePlan& PlanOf(float factor);

 private:
  static constexpr uint32_t kSlots = 128;

  struct Slot {
    uint32_t step = 0;
    CapsulePlan plan;
  };

  const ImageSpec spec_;
  const CapsulePlan plain_;
  std::array<std::unique_ptr<Slot>, kSlots> slots_;
};

}  // namespace inkstream::raster

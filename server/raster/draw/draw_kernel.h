// The SIMD part of the rasteriser, compiled once for each instruction set and
// chosen at run time. Every target writes the same bytes: all arithmetic on
// pixels is integer, all float arithmetic is single IEEE operations.
//
// Thread safety: DrawInk and DrawLayers are reentrant; one DrawScratch a
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "inkstream/drawing.h"
#include "inkstream/image_spec.h"
#include "server/raster/draw/capsule_plan.h"
#include "server/raster/draw/frame.h"

namespace inkstream::raster {

// Bands that are reached from one by adding up steps; more would let the
// steps' rounding show. Fewer where the middle of a long segment is cut out:
// there, lanes may be off along the segment by these bands' height.
inline constexpr int kRun = 8;  // even
inline constexpr int kRunOfLong = 4;

enum SegmentReach : int32_t {
  kOutOfSight = 0,
  kOneRun = 1,  // within one block's columns and kRun bands
  kManyRuns = 2,
};

// A column for each constant of a segment, so that many are computed at once.
enum SegmentColumn : int {
  kReach,       // which SegmentReach
  kAlongX,      // 1/64 units a sample: unit vector along the segment, x
  kAlongY,      // the same, y
  kAcross0,     // 1/64 units: distance of the grid's origin from the line
  kAlong0,      // 1/64 units: from the middle of the segment, along it
  kGap,         // 1/64 units taken out of the middle of a long segment
  kHalfLength,  // stretched units, after the gap
  kX0,          // box of samples that may be touched: columns [x0, x1)
  kX1,
  kBand0,  // and pairs of rows [band0, band1)
  kBand1,
  kMiddle,     // 1/256 samples: where the line crosses the first strip
  kSlope,      // 1/256 samples a strip
  kHalfSpan,   // 1/256 samples either side of it
  kDirection,  // row of the coverage table
  // In units, as 16 bits need them:
  kFirstAcross,  // of the middle of the box' first block
  kFirstAlong,   // the same, stretched
  kAcrossStep,   // from a band to the next
  kAlongStep,    // the same, stretched
  kFineX,        // 1/8 units a sample: along, x
  kFineY,        // the same, y
  kSegmentColumns,
};

// Constants of this many segments stand together, column after column.
inline constexpr size_t kSegmentGroup = 16;

// Grows with the largest drawing seen, then allocates no more.
struct DrawScratch {
  // Makes room for images of `plan` in `layers` channels, of which
  // `value_planes` differ from segment to segment. All calls are for the same
  // spec.
  void Fit(const CapsulePlan& plan, size_t layers, size_t value_planes);

  // Makes room for `points` points.
  void Reserve(size_t points);

  // Column c of segment i is segment(i)[c * kSegmentGroup].
  int32_t* segment(size_t i) const {
    return groups + i / kSegmentGroup * kSegmentGroup * kSegmentColumns +
           i % kSegmentGroup;
  }

  // Points in samples: segment i runs from (ax[i], ay[i]) to (bx[i], by[i]).
  float* ax = nullptr;
  float* ay = nullptr;
  float* bx = nullptr;
  float* by = nullptr;
  int32_t* groups = nullptr;
  // One stroke's coverage: samples (x, 2 b) and (x, 2 b + 1) are bytes
  // 2 (b pitch + x) and the next. All zero between strokes.
  uint8_t* cover = nullptr;
  // Planes of the same form: what the segment that covers a sample most is
  // drawn with. Without meaning where nothing covers.
  uint8_t* values = nullptr;
  size_t plane_bytes = 0;
  // The images under work, one a layer, where their rows are not the plan's
  // image_pitch long; all zero between drawings.
  uint8_t* image = nullptr;
  size_t image_bytes = 0;  // from one to the next

 private:
  std::vector<uint8_t> cover_;
  std::vector<uint8_t> values_;
  std::vector<uint8_t> images_;
  std::vector<float> points_;
  std::vector<int32_t> segments_;
  size_t capacity_ = 0;
  uint32_t samples_ = 0;  // of the plan it was made fit for
};

// What one channel of an image is drawn with.
struct ChannelLayer {
  uint8_t* out = nullptr;  // height * width bytes
  // By stroke; nullptr where it differs from segment to segment.
  const uint8_t* stroke_values = nullptr;
  int plane = 0;  // of the segments' values
};

// What is drawn, and where.
struct DrawTask {
  const ImageSpec& spec;
  const CapsulePlan& plan;
  const StrokesView& strokes;
  const Bounds* bounds = nullptr;  // placed by these; nullptr: by its own
};

// Draws ink, which has the value 255 everywhere, into `out`, height * width
// bytes.
void DrawInk(const DrawTask& task, DrawScratch& scratch, uint8_t* out);

// Draws `layers`. The value of plane k and the segment from point i is
// segment_values[i * value_planes + k].
void DrawLayers(const DrawTask& task, absl::Span<const ChannelLayer> layers,
                const uint8_t* segment_values, int value_planes,
                DrawScratch& scratch);

// Cuts the segment to a box that lies `margin` samples around the grid, or
// moves it out of sight when nothing of it is in the box or it is not finite.
void ClipSegment(const CapsulePlan& plan, float& ax, float& ay, float& bx,
                 float& by);

// Names of the instruction sets compiled in that this machine has.
std::vector<std::string> SimdTargets();
// Draws with `target` from now on, in the whole process; "" is the best one.
// For tests and benchmarks.
void UseSimdTarget(const std::string& target);

}  // namespace inkstream::raster

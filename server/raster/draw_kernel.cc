// AVX-512 with byte permutes is worth a target of its own here; SSSE3 alone
// and SVE are not: their machines also have SSE4 and NEON.
#define HWY_WANT_AVX3_DL 1
#include "server/raster/draw_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/raster/draw_kernel.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "server/raster/capsule_blocks-inl.h"
#include "server/raster/segment_setup-inl.h"
#include "server/raster/stroke_over-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {

void DrawInkTarget(const ImageSpec& spec, const CapsulePlan& plan,
                   const StrokesView& strokes, DrawScratch& scratch,
                   uint8_t* out) {
  const Canvas canvas = BeginCanvas(plan, scratch, out);
  if (strokes.points() > 0) {
    PlacePoints(spec, plan, strokes, scratch);
    SetUpSegments(plan, strokes.points(), scratch);
  }
  for (size_t s = 0; s < strokes.strokes(); ++s) {
    const size_t begin = strokes.begin(s);
    const size_t end = strokes.end(s);
    // The last point starts no segment unless it is the only one.
    const size_t last = end - begin > 1 ? end - 1 : end;
    Touched touched;
    for (size_t i = begin; i < last; ++i) {
      const int32_t* segment = scratch.segment(i);
      const int32_t reach = segment[kReach * kSegmentGroup];
      if (HWY_UNLIKELY(reach == kOutOfSight)) continue;
      touched.Add(segment);
      if (reach == kOneRun) {
        DrawShortSegment(plan, segment, scratch.cover);
      } else {
        DrawLongSegment(plan, segment, scratch.cover);
      }
    }
    if (touched.band0 >= touched.band1) continue;
    if (plan.samples == 1) {
      OverSingle(plan, touched, scratch.cover, canvas);
    } else {
      OverQuads(plan, touched, scratch.cover, canvas);
    }
  }
  EndCanvas(plan, canvas, out);
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inkstream::raster {

HWY_EXPORT(DrawInkTarget);

void DrawInk(const ImageSpec& spec, const CapsulePlan& plan,
             const StrokesView& strokes, DrawScratch& scratch, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(DrawInkTarget)(spec, plan, strokes, scratch, out);
}

std::vector<std::string> SimdTargets() {
  std::vector<std::string> names;
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    names.emplace_back(hwy::TargetName(target));
  }
  return names;
}

void UseSimdTarget(const std::string& target) {
  hwy::SetSupportedTargetsForTest(0);
  for (const int64_t bit : hwy::SupportedAndGeneratedTargets()) {
    if (target == hwy::TargetName(bit)) {
      hwy::SetSupportedTargetsForTest(bit);
      break;
    }
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace inkstream::raster
#endif  // HWY_ONCE

// AVX-512 with byte permutes is worth a target of its own here; SSSE3 alone
// and SVE are not: their machines also have SSE4 and NEON.
#define HWY_WANT_AVX3_DL 1
#include "server/raster/draw/draw_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/raster/draw/draw_kernel.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "server/raster/draw/capsule_blocks-inl.h"
#include "server/raster/draw/layer_over-inl.h"
#include "server/raster/draw/segment_setup-inl.h"
#include "server/raster/draw/stroke_over-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {

// Draws every stroke's coverage. sink_of(i) is the sink of the segment from
// point i; over(s, touched) is called after the segments of stroke s.
template <class SinkOf, class Over>
HWY_INLINE void DrawStrokes(const DrawTask& task, DrawScratch& scratch,
                            SinkOf sink_of, Over over) {
  const CapsulePlan& plan = task.plan;
  const StrokesView& strokes = task.strokes;
  if (strokes.points() == 0) return;
  PlacePoints(task, scratch);
  SetUpSegments(plan, strokes.points(), scratch);
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
        DrawShortSegment(plan, sink_of(i), segment, scratch.cover);
      } else {
        DrawLongSegment(plan, sink_of(i), segment, scratch.cover);
      }
    }
    if (touched.band0 < touched.band1) over(s, touched);
  }
}

void DrawInkTarget(const DrawTask& task, DrawScratch& scratch, uint8_t* out) {
  const CapsulePlan& plan = task.plan;
  const Canvas canvas = BeginCanvas(plan, scratch, 0, out);
  DrawStrokes(
      task, scratch, [](size_t) HWY_ATTR { return InkSink(); },
      [&](size_t, const Touched& touched) HWY_ATTR {
        if (plan.samples == 1) {
          OverSingle(plan, touched, scratch.cover, canvas);
        } else {
          OverQuads(plan, touched, scratch.cover, canvas);
        }
      });
  EndCanvas(plan, canvas, out);
}

void DrawLayersTarget(const DrawTask& task,
                      absl::Span<const ChannelLayer> layers,
                      const uint8_t* segment_values, int value_planes,
                      DrawScratch& scratch) {
  const CapsulePlan& plan = task.plan;
  Canvas canvases[kMaxLayers];
  for (size_t k = 0; k < layers.size(); ++k) {
    canvases[k] = BeginCanvas(plan, scratch, k, layers[k].out);
  }
  DrawStrokes(
      task, scratch,
      [&](size_t i) HWY_ATTR {
        return ValueSink{scratch.cover, scratch.values, scratch.plane_bytes,
                         segment_values + i * static_cast<size_t>(value_planes),
                         value_planes};
      },
      [&](size_t s, const Touched& touched) HWY_ATTR {
        const LayerStroke work{layers, canvases, s};
        if (plan.samples == 1) {
          OverSingleLayers(plan, touched, scratch, work);
        } else {
          OverQuadLayers(plan, touched, scratch, work);
        }
      });
  for (size_t k = 0; k < layers.size(); ++k) {
    EndCanvas(plan, canvases[k], layers[k].out);
  }
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inkstream::raster {

HWY_EXPORT(DrawInkTarget);
HWY_EXPORT(DrawLayersTarget);

void DrawInk(const DrawTask& task, DrawScratch& scratch, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(DrawInkTarget)(task, scratch, out);
}

void DrawLayers(const DrawTask& task, absl::Span<const ChannelLayer> layers,
                const uint8_t* segment_values, int value_planes,
                DrawScratch& scratch) {
  HWY_DYNAMIC_DISPATCH(DrawLayersTarget)
  (task, layers, segment_values, value_planes, scratch);
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

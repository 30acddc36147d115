#include "server/raster/frame.h"

#include <algorithm>
#include <limits>

namespace inkstream::raster {
namespace {

struct Range {
  float low;
  float high;
};

Range RangeOf(absl::Span<const float> values) {
  Range range{std::numeric_limits<float>::infinity(),
              -std::numeric_limits<float>::infinity()};
  for (const float v : values) {
    range.low = std::min(range.low, v);
    range.high = std::max(range.high, v);
  }
  return range;
}

}  // namespace

float CanvasScale(const ImageSpec& spec) {
  const float side = static_cast<float>(std::min(spec.height, spec.width));
  return side / (256.0F + 2.0F * spec.padding + spec.line_width);
}

Frame FrameOf(const ImageSpec& spec, const StrokesView& strokes) {
  const float unit = CanvasScale(spec);
  const float width = static_cast<float>(spec.width);
  const float height = static_cast<float>(spec.height);
  if (strokes.points() == 0) return {unit, unit, 0.0F, 0.0F};
  const Range x = RangeOf(strokes.x);
  const Range y = RangeOf(strokes.y);
  if (spec.fit == Fit::kCanvas) {
    return {unit, unit, 0.5F * width - unit * (0.5F * x.high),
            0.5F * height - unit * (0.5F * y.high)};
  }
  const float margin = unit * (2.0F * spec.padding + spec.line_width);
  float scale_x = x.high > x.low ? (width - margin) / (x.high - x.low) : 0.0F;
  float scale_y = y.high > y.low ? (height - margin) / (y.high - y.low) : 0.0F;
  // A drawing without extent on an axis takes the other axis' scale.
  if (scale_x == 0.0F) scale_x = scale_y == 0.0F ? unit : scale_y;
  if (scale_y == 0.0F) scale_y = scale_x;
  if (spec.fit == Fit::kBox) scale_x = scale_y = std::min(scale_x, scale_y);
  return {scale_x, scale_y, 0.5F * width - scale_x * (0.5F * (x.low + x.high)),
          0.5F * height - scale_y * (0.5F * (y.low + y.high))};
}

}  // namespace inkstream::raster

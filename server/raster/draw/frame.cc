#include "server/raster/draw/frame.h"

#include <algorithm>

namespace inkstream::raster {
float CanvasScale(const ImageSpec& spec) {
  const float side = static_cast<float>(std::min(spec.height, spec.width));
  return side / (256.0F + 2.0F * spec.padding + spec.line_width);
}

Frame FrameOf(const ImageSpec& spec, const Bounds& bounds) {
  const float unit = CanvasScale(spec);
  const float width = static_cast<float>(spec.width);
  const float height = static_cast<float>(spec.height);
  if (spec.fit == Fit::kCanvas) {
    return {unit, unit, 0.5F * width - unit * (0.5F * bounds.max_x),
            0.5F * height - unit * (0.5F * bounds.max_y)};
  }
  const float margin = unit * (2.0F * spec.padding + spec.line_width);
  const float extent_x = bounds.max_x - bounds.min_x;
  const float extent_y = bounds.max_y - bounds.min_y;
  float scale_x = extent_x > 0.0F ? (width - margin) / extent_x : 0.0F;
  float scale_y = extent_y > 0.0F ? (height - margin) / extent_y : 0.0F;
  // A drawing without extent on an axis takes the other axis' scale.
  if (scale_x == 0.0F) scale_x = scale_y == 0.0F ? unit : scale_y;
  if (scale_y == 0.0F) scale_y = scale_x;
  if (spec.fit == Fit::kBox) scale_x = scale_y = std::min(scale_x, scale_y);
  return {scale_x, scale_y,
          0.5F * width - scale_x * (0.5F * (bounds.min_x + bounds.max_x)),
          0.5F * height - scale_y * (0.5F * (bounds.min_y + bounds.max_y))};
}

}  // namespace inkstream::raster

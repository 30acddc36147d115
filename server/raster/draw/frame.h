// Where a drawing lies in its image.
//
// Thread safety: plain values and pure functions.
#pragma once

#include "inkstream/drawing.h"
#include "inkstream/image_spec.h"

namespace inkstream::raster {

// Bounding box of a drawing's points, in its own units.
struct Bounds {
  float min_x = 0.0F;
  float min_y = 0.0F;
  float max_x = 0.0F;
  float max_y = 0.0F;
};

// Of all points; zeros where there are none.
Bounds BoundsOf(const StrokesView& strokes);

// pixel = scale * unit + offset; pixel (0, 0) covers 0..1 on both axes.
struct Frame {
  float scale_x = 1.0F;
  float scale_y = 1.0F;
  float offset_x = 0.0F;
  float offset_y = 0.0F;
};

// Pixels a unit of the 256 canvas: min(height, width) spans the canvas, the
// padding on both sides and one line width.
float CanvasScale(const ImageSpec& spec);

// The drawing's frame under `spec.fit`. Canvas centres it by its maximum x and
// y, as Google's bitmaps are; box and stretch by its bounding box. The line is
// spec.line_width * CanvasScale(spec) pixels wide under every fit.
Frame FrameOf(const ImageSpec& spec, const Bounds& bounds);

}  // namespace inkstream::raster

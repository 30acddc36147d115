// Random changes to the strokes of a drawing before it is drawn.
//
// Thread safety: plain value.
#pragma once

namespace inkstream {

// A parameter drawn uniformly from [low, high); low == high fixes it.
struct Range {
  float low = 0;
  float high = 0;

  bool operator==(const Range&) const = default;
};

// The defaults change nothing. Geometry is about the centre of the drawing's
// bounding box, in this order: flip, scale, shear, rotation, translation.
struct AugmentSpec {
  Range rotation;            // degrees, clockwise on the screen
  Range scale{1, 1};         // factor, > 0
  Range scale_x{1, 1};       // factor, > 0, on top of `scale`
  Range scale_y{1, 1};       // likewise
  Range shear;               // x gains shear * (y - centre)
  Range translate_x;         // units of the 256 canvas
  Range translate_y;         // likewise
  float flip_x = 0;          // probability of a left-right mirror image
  float flip_y = 0;          // probability of a top-bottom one
  float stroke_dropout = 0;  // probability for each stroke; one always stays
  float stroke_reorder = 0;  // probability that the strokes are shuffled
  float point_dropout = 0;   // probability for each inner point of a stroke
  float jitter = 0;          // standard deviation, units of the 256 canvas
  Range line_width{1, 1};    // factor on the image's line width, > 0

  bool operator==(const AugmentSpec&) const = default;
};

}  // namespace inkstream

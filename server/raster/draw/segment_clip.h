// Cutting segments to a box.
//
// Thread safety: pure functions.
#pragma once

#include <array>

namespace inkstream::raster {

struct ClipBox {
  std::array<double, 2> low;  // x, y
  std::array<double, 2> high;
};

// Cuts the segment from `a` to `b` to what lies in `box`. False where nothing
// does, or where a coordinate is not finite; then both are unchanged.
bool ClipToBox(const ClipBox& box, std::array<double, 2>& a,
               std::array<double, 2>& b);

}  // namespace inkstream::raster

// Raw points on the canvas.
//
// Thread safety: pure function.
#pragma once

#include "inkstream/drawing.h"

namespace inkstream::store {

// Makes x, y and t of a raw drawing from its raw points: moved to the origin,
// scaled so that the larger side is 255 (not rounded; a single dot stays at the
// origin), times counted from the first point. REQUIRES: as many raw x, y and
// t, at least one.
void FillCanvas(Drawing* drawing);

}  // namespace inkstream::store

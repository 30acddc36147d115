// The rasteriser's contract in the plainest words, for comparing with.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>
#include <vector>

#include "inkstream/drawing.h"
#include "inkstream/image_spec.h"

namespace inkstream::testing {

// Height * width bytes. A pixel's coverage by a stroke is the share of its
// 16 x 16 sample points that lie within half a line width of any of the
// stroke's segments; strokes lie over each other. Supports every fit.
std::vector<uint8_t> ReferenceRaster(const ImageSpec& spec,
                                     const StrokesView& strokes);

}  // namespace inkstream::testing

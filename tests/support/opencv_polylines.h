// Drawings rasterised the way most training code does it: OpenCV's anti-aliased
// polylines, in whole pixels of line width.
//
// Thread safety: one object a thread.
#pragma once

#include <functional>

#include "inkstream/drawing.h"
#include "inkstream/image_spec.h"

namespace inkstream::testing {

// Draws into an image of its own, at the place and line width of `spec`.
std::function<void(const StrokesView&)> OpenCvPolylines(const ImageSpec& spec);

}  // namespace inkstream::testing

// Which image specs the rasteriser draws.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "inkstream/image_spec.h"

namespace inkstream::raster {

// Largest line width and padding, in units of the 256 canvas.
inline constexpr float kMaxLineWidth = 256.0F;
inline constexpr float kMaxPadding = 1024.0F;

// Largest height and width, whatever the caller allows: the kernel's
// fixed-point numbers hold 4,000 samples, two a pixel. No product of a spec's
// numbers overflows 64 bits.
inline constexpr uint32_t kMaxSide = 1920;

// OK, or INVALID_ARGUMENT naming the first field that cannot be drawn, its
// value, the limit and what is offered. Allocates nothing of the spec's size.
// `has_times`: whether the drawings come with times.
absl::Status CheckImageSpec(const ImageSpec& spec, uint32_t max_side,
                            bool has_times);

}  // namespace inkstream::raster

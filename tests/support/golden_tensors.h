// Image tensors of every kind whose bytes are on record.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "inkstream/augment_spec.h"
#include "inkstream/drawing.h"
#include "inkstream/image_spec.h"
#include "server/raster/draw/rasterizer.h"

namespace inkstream::testing {

// `drawing` with times: 7..30 ms a point, 100..899 ms between strokes.
Drawing WithTimes(Drawing drawing);

struct GoldenTensor {
  std::string name;
  ImageSpec spec;
  raster::DrawOptions options;
  // Where set, `options` are those of the changed drawing.
  std::optional<AugmentSpec> augment = {};
};

// Every type, layout, fit, channel, change of strokes, and both numbers of
// samples a pixel.
std::vector<GoldenTensor> GoldenTensors();

inline constexpr uint64_t kFnvBasis = 0xCBF29CE484222325U;

// FNV-1a, going on from `hash`.
uint64_t Fnv1a(const std::vector<uint8_t>& bytes, uint64_t hash = kFnvBasis);

// Of the tensor of every generated drawing, one after another.
uint64_t GoldenHash(const GoldenTensor& tensor);

}  // namespace inkstream::testing

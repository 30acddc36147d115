// Strokes -> pixels in the caller's memory.
//
// Thread safety: one object a thread (it holds scratch memory). No allocation
// per drawing once the scratch has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "inkstream/drawing.h"
#include "inkstream/image_spec.h"

namespace inkstream::raster {

// Goes up whenever any pixel of any drawing changes.
inline constexpr uint32_t kRasterVersion = 1;

class Rasterizer {
 public:
  // INVALID_ARGUMENT names the field, its value, the limit and what is offered.
  // `max_side`: the largest height and width allowed.
  static absl::StatusOr<std::unique_ptr<Rasterizer>> Create(
      const ImageSpec& spec, uint32_t max_side = 1024);

  virtual ~Rasterizer() = default;

  // Bytes of one image: channels * height * width * element size.
  virtual size_t image_bytes() const = 0;

  // Draws one drawing. `out` has image_bytes() bytes, is written completely
  // and needs no alignment.
  virtual void Draw(const StrokesView& strokes, uint8_t* out) = 0;
};

}  // namespace inkstream::raster

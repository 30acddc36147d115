// Strokes -> pixels in the caller's memory.
//
// Thread safety: one object a thread (it holds scratch memory). No allocation
// per drawing once the scratch has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "inkstream/drawing.h"
#include "inkstream/image_spec.h"
#include "server/raster/draw/frame.h"

namespace inkstream::raster {

// Goes up whenever any pixel of any drawing changes. 2, 3: augmentation draws
// other random numbers; pixels of unchanged drawings are those of version 1.
inline constexpr uint32_t kRasterVersion = 3;

// What may differ from drawing to drawing; the defaults draw the spec as it is.
struct DrawOptions {
  // On the spec's line width, > 0. Rounded to 64 steps from each power of two
  // to the next (at most 0.8 % off), so that tables can be kept; the product is
  // at most kMaxLineWidth. The frame stays that of the spec's own line width.
  float line_width_factor = 1.0F;
  // The drawing is placed as if this were its bounding box: that of the
  // unchanged drawing where the strokes were moved or turned on purpose, which
  // centring and fitting would undo. nullopt: of the strokes themselves.
  std::optional<Bounds> bounds;
};

class Rasterizer {
 public:
  // INVALID_ARGUMENT names the field, its value, the limit and what is offered.
  // `max_side`: the largest height and width allowed. `has_times`: whether the
  // drawings come with times, which some channels show.
  static absl::StatusOr<std::unique_ptr<Rasterizer>> Create(
      const ImageSpec& spec, uint32_t max_side = 1024, bool has_times = false);

  virtual ~Rasterizer() = default;

  // Bytes of one image: channels * height * width * element size.
  virtual size_t image_bytes() const = 0;

  // Draws one drawing. `out` has image_bytes() bytes, is written completely
  // and needs no alignment.
  virtual void Draw(const StrokesView& strokes, const DrawOptions& options,
                    uint8_t* out) = 0;
  void Draw(const StrokesView& strokes, uint8_t* out) {
    Draw(strokes, DrawOptions(), out);
  }
};

}  // namespace inkstream::raster

// Drawings as Google drew its published bitmaps, bit for bit, at any size:
// Cairo with ANTIALIAS_BEST, one stroke after another, round caps and joins.
// About 50 times slower than the fast rasteriser, and Cairo allocates.
//
// Thread safety: one object a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/raster/draw/cairo_library.h"
#include "server/raster/draw/rasterizer.h"
#include "server/raster/tensor/pixel_writer.h"

namespace inkstream::raster {

class ExactRasterizer final : public Rasterizer {
 public:
  // `spec` has passed CheckImageSpec. Throws std::bad_alloc, as every container
  // does, where Cairo has no memory; so does Draw.
  ExactRasterizer(const ImageSpec& spec, const CairoLibrary& cairo);
  ~ExactRasterizer() override;
  ExactRasterizer(const ExactRasterizer&) = delete;
  ExactRasterizer& operator=(const ExactRasterizer&) = delete;

  size_t image_bytes() const override { return writer_.image_bytes(); }

  void Draw(const StrokesView& strokes, const DrawOptions& options,
            uint8_t* out) override;

 private:
  struct Canvas;

  void AddPath(const StrokesView& strokes, size_t stroke);

  const ImageSpec spec_;
  const CairoLibrary& cairo_;
  const PixelWriter writer_;
  std::vector<uint8_t> plane_;
  Canvas* canvas_;  // owned
};

}  // namespace inkstream::raster

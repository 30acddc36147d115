// The fast rasteriser: every segment a capsule, every instruction set the same
// bytes.
//
// Thread safety: one object a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/raster/draw/capsule_plan.h"
#include "server/raster/draw/draw_kernel.h"
#include "server/raster/draw/rasterizer.h"
#include "server/raster/tensor/channel_values.h"
#include "server/raster/tensor/pixel_writer.h"

namespace inkstream::raster {

class CapsuleRasterizer final : public Rasterizer {
 public:
  // `spec` has passed CheckImageSpec.
  explicit CapsuleRasterizer(const ImageSpec& spec);

  size_t image_bytes() const override { return writer_.image_bytes(); }

  void Draw(const StrokesView& strokes, const DrawOptions& options,
            uint8_t* out) override;

 private:
  void DrawPlanes(const DrawTask& task, uint8_t* planes);

  const ImageSpec spec_;
  const PixelWriter writer_;
  PlanCache plans_;
  ChannelValues values_;
  std::vector<ChannelLayer> layers_;
  DrawScratch scratch_;
  std::vector<uint8_t> planes_;
};

}  // namespace inkstream::raster

// What draws, by spec: kept by a thread from piece to piece, so that drawings
// cost no allocation.
//
// Thread safety: one object a thread.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "server/layout/layout_recipe.h"
#include "server/layout/recently_used.h"
#include "server/raster/tensor/drawing_tensors.h"

namespace inkstream::layout {

class DrawingTools {
 public:
  // As raster::Rasterizer::Create() of drawings that have the times a spec
  // needs. A client, which draws quality fast alone, has one without Cairo.
  using MakeRasterizer =
      absl::StatusOr<std::unique_ptr<raster::Rasterizer>> (*)(
          const ImageSpec& spec, uint32_t max_side);
  explicit DrawingTools(MakeRasterizer make) : make_(make) {}

  // Those that the recipe needs, writing nowhere yet. Valid until the next
  // call. INVALID_ARGUMENT: there is no such tool.
  absl::StatusOr<raster::DrawingTensors> Of(const LayoutRecipe& recipe);

 private:
  const MakeRasterizer make_;
  RecentlyUsed<ImageSpec, raster::Rasterizer> rasterizers_;
  RecentlyUsed<std::pair<StrokesSpec, double>, raster::StrokeTensor> tensors_;
  RecentlyUsed<AugmentSpec, raster::Augmenter> augmenters_;
};

}  // namespace inkstream::layout

#include "server/raster/draw/rasterizer.h"

#include <memory>

#include "server/raster/draw/capsule_rasterizer.h"
#include "server/raster/tensor/image_spec_check.h"
#ifdef INKSTREAM_EXACT
#include "server/raster/draw/exact_rasterizer.h"
#endif

namespace inkstream::raster {

absl::StatusOr<std::unique_ptr<Rasterizer>> Rasterizer::Create(
    const ImageSpec& spec, uint32_t max_side, bool has_times) {
  if (absl::Status status = CheckImageSpec(spec, max_side, has_times);
      !status.ok()) {
    return status;
  }
#ifdef INKSTREAM_EXACT
  if (spec.quality == Quality::kExact) {
    absl::StatusOr<const CairoLibrary*> cairo = LoadCairo();
    if (!cairo.ok()) return cairo.status();
    return std::make_unique<ExactRasterizer>(spec, **cairo);
  }
#endif
  return std::make_unique<CapsuleRasterizer>(spec);
}

}  // namespace inkstream::raster

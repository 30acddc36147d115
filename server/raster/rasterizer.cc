#include "server/raster/rasterizer.h"

#include <memory>

#include "server/raster/capsule_rasterizer.h"
#include "server/raster/image_spec_check.h"

namespace inkstream::raster {

absl::StatusOr<std::unique_ptr<Rasterizer>> Rasterizer::Create(
    const ImageSpec& spec, uint32_t max_side, bool has_times) {
  if (absl::Status status = CheckImageSpec(spec, max_side, has_times);
      !status.ok()) {
    return status;
  }
  return std::make_unique<CapsuleRasterizer>(spec);
}

}  // namespace inkstream::raster

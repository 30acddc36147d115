#include "server/service/codec_choice.h"

#include "absl/strings/str_cat.h"
#include "server/raster/draw/rasterizer.h"

namespace inkstream::service {

std::string WhyNotStrokes(const DeliverySpec& delivery,
                          uint32_t raster_version) {
  if (!delivery.image.has_value() && !delivery.strokes.has_value()) {
    return "there is nothing to draw: delivery has no image and no strokes";
  }
  if (delivery.image.has_value() &&
      delivery.image->quality == Quality::kExact) {
    return "delivery.image.quality is QUALITY_EXACT, which the server draws";
  }
  if (raster_version != 0 && raster_version != raster::kRasterVersion) {
    return absl::StrCat("the client draws with raster version ", raster_version,
                        ", this server with ", raster::kRasterVersion);
  }
  return "";
}

}  // namespace inkstream::service

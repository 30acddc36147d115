#include "client/cpp/image_drawer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/raster/capsule_rasterizer.h"
#include "server/raster/drawing_tensors.h"
#include "server/raster/image_spec_check.h"
#include "server/transport/codec/stroke_wire.h"

namespace inkstream::client {

absl::StatusOr<std::unique_ptr<ImageDrawer>> ImageDrawer::Create(
    const DeliverySpec& delivery, uint64_t seed) {
  if (!delivery.image.has_value() ||
      delivery.image->quality != Quality::kFast) {
    return absl::InvalidArgumentError(
        "codec: strokes are for images of quality fast; use zstd");
  }
  const ImageSpec& image = *delivery.image;
  absl::Status status = raster::CheckImageSpec(
      image, std::max(image.height, image.width), /*has_times=*/true);
  if (!status.ok()) return status;
  std::optional<raster::Augmenter> augmenter;
  if (delivery.augment.has_value()) {
    absl::StatusOr<raster::Augmenter> made =
        raster::Augmenter::Create(*delivery.augment);
    if (!made.ok()) return made.status();
    augmenter = *std::move(made);
  }
  // Not Rasterizer::Create(), which would bring Cairo into libinkstream.
  return std::unique_ptr<ImageDrawer>(new ImageDrawer(
      std::make_unique<raster::CapsuleRasterizer>(image), std::move(augmenter),
      std::max(delivery.views, 1U), seed));
}

ImageDrawer::ImageDrawer(std::unique_ptr<raster::Rasterizer> rasterizer,
                         std::optional<raster::Augmenter> augmenter,
                         uint32_t views, uint64_t seed)
    : rasterizer_(std::move(rasterizer)),
      augmenter_(std::move(augmenter)),
      views_(views),
      seed_(seed) {}

absl::Status ImageDrawer::Draw(absl::Span<const uint8_t> encoded,
                               uint64_t epoch,
                               absl::Span<const int64_t> indices,
                               uint8_t* out) {
  raster::DrawingTensors tools;
  tools.rasterizer = rasterizer_.get();
  tools.augmenter = augmenter_.has_value() ? &*augmenter_ : nullptr;
  tools.views = views_;
  tools.image = out;
  raster::AugmentKey key = {seed_, epoch, 0, 0, 0};
  transport::StrokeWireReader reader(encoded);
  for (const int64_t index : indices) {
    if (absl::Status status = reader.Next(); !status.ok()) return status;
    key.index = static_cast<uint64_t>(index);
    key.occurrence = reader.occurrence();
    const absl::StatusOr<bool> drawn = tools.Draw(reader.strokes(), key);
    if (!drawn.ok()) return drawn.status();
  }
  if (!reader.at_end()) {
    return absl::InternalError(absl::StrCat("encoded strokes: more than the ",
                                            indices.size(), " drawings due"));
  }
  return absl::OkStatus();
}

}  // namespace inkstream::client

// Draws the images of batches whose strokes came instead of their pixels, by
// the rasteriser that servers draw with.
//
// Thread safety: one object a thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "inkstream/plan.h"
#include "server/raster/augmenter.h"
#include "server/raster/rasterizer.h"

namespace inkstream::client {

class ImageDrawer {
 public:
  // INVALID_ARGUMENT: the delivery has no image that can be drawn here; the
  // server refuses the same. `seed`: of the stream's order.
  static absl::StatusOr<std::unique_ptr<ImageDrawer>> Create(
      const DeliverySpec& delivery, uint64_t seed);

  // Bytes of one row of the tensor: all views of one drawing.
  uint64_t row_bytes() const {
    return views_ * uint64_t{rasterizer_->image_bytes()};
  }

  // Draws indices.size() rows at `out` of the drawings that `encoded` is.
  // INTERNAL: it is not so many drawings.
  absl::Status Draw(absl::Span<const uint8_t> encoded, uint64_t epoch,
                    absl::Span<const int64_t> indices, uint8_t* out);

 private:
  ImageDrawer(std::unique_ptr<raster::Rasterizer> rasterizer,
              std::optional<raster::Augmenter> augmenter, uint32_t views,
              uint64_t seed);

  const std::unique_ptr<raster::Rasterizer> rasterizer_;
  std::optional<raster::Augmenter> augmenter_;
  const uint32_t views_;
  const uint64_t seed_;
};

}  // namespace inkstream::client

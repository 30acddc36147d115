#include "server/layout/layout_recipe.h"

#include <algorithm>

namespace inkstream::layout {
namespace {

// About half a millisecond on one core, by the rasteriser's own figures.
constexpr uint64_t kPixelsAPiece = 1U << 19U;
constexpr uint64_t kPixelsAPoint = 4;  // a point of a stroke tensor
constexpr uint64_t kMaxRowsAPiece = 512;
constexpr uint64_t kMinRowsAPiece = 8;

}  // namespace

uint32_t RowsAPiece(const DeliverySpec& delivery, int threads) {
  uint64_t pixels = 0;
  if (delivery.image.has_value()) {
    pixels += uint64_t{delivery.image->height} * delivery.image->width *
              delivery.image->channels.size();
  }
  if (delivery.strokes.has_value()) {
    pixels += delivery.strokes->max_len * kPixelsAPoint;
  }
  const uint64_t rows = std::clamp<uint64_t>(
      kPixelsAPiece / std::max<uint64_t>(pixels * delivery.views, 1), 1,
      kMaxRowsAPiece);
  const uint64_t share = (delivery.batch_size + threads - 1) / threads;
  return static_cast<uint32_t>(std::min(rows, std::max(share, kMinRowsAPiece)));
}

uint32_t FetchRowsAPiece(const DeliverySpec& delivery, int threads) {
  return std::max(1U, RowsAPiece(delivery, threads) / 4);
}

}  // namespace inkstream::layout

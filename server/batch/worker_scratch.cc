#include "server/batch/worker_scratch.h"

#include <algorithm>

namespace inkstream::batch {

store::DrawingReader* WorkerScratch::ReaderOf(const store::StoreReader& store) {
  const auto found =
      std::find_if(readers_.begin(), readers_.end(),
                   [&](const auto& entry) { return entry.first == &store; });
  if (found != readers_.end()) {
    readers_.splice(readers_.begin(), readers_, found);
  } else {
    readers_.emplace_front(&store, store.NewDrawingReader());
    if (readers_.size() > kKept) readers_.pop_back();
  }
  return readers_.front().second.get();
}

absl::StatusOr<raster::Rasterizer*> WorkerScratch::RasterizerOf(
    const ImageSpec& spec, uint32_t max_side) {
  const auto found =
      std::find_if(rasterizers_.begin(), rasterizers_.end(),
                   [&](const auto& entry) { return entry.first == spec; });
  if (found != rasterizers_.end()) {
    rasterizers_.splice(rasterizers_.begin(), rasterizers_, found);
  } else {
    absl::StatusOr<std::unique_ptr<raster::Rasterizer>> made =
        raster::Rasterizer::Create(spec, max_side);
    if (!made.ok()) return made.status();
    rasterizers_.emplace_front(spec, *std::move(made));
    if (rasterizers_.size() > kKept) rasterizers_.pop_back();
  }
  return rasterizers_.front().second.get();
}

}  // namespace inkstream::batch

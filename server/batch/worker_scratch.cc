#include "server/batch/worker_scratch.h"

namespace inkstream::batch {

store::DrawingReader* WorkerScratch::ReaderOf(const store::StoreReader& store) {
  store::DrawingReader* const kept = readers_.Find(&store);
  return kept != nullptr ? kept
                         : readers_.Keep(&store, store.NewDrawingReader());
}

absl::StatusOr<raster::Rasterizer*> WorkerScratch::RasterizerOf(
    const ImageSpec& spec, uint32_t max_side) {
  raster::Rasterizer* const kept = rasterizers_.Find(spec);
  if (kept != nullptr) return kept;
  absl::StatusOr<std::unique_ptr<raster::Rasterizer>> made =
      raster::Rasterizer::Create(spec, max_side, /*has_times=*/true);
  if (!made.ok()) return made.status();
  return rasterizers_.Keep(spec, *std::move(made));
}

absl::StatusOr<raster::StrokeTensor*> WorkerScratch::StrokeTensorOf(
    const StrokesSpec& spec, double dataset_std, uint32_t max_len) {
  const std::pair<StrokesSpec, double> key(spec, dataset_std);
  raster::StrokeTensor* const kept = stroke_tensors_.Find(key);
  if (kept != nullptr) return kept;
  absl::StatusOr<raster::StrokeTensor> made =
      raster::StrokeTensor::Create(spec, dataset_std, max_len);
  if (!made.ok()) return made.status();
  return stroke_tensors_.Keep(
      key, std::make_unique<raster::StrokeTensor>(*std::move(made)));
}

absl::StatusOr<raster::Augmenter*> WorkerScratch::AugmenterOf(
    const AugmentSpec& spec) {
  raster::Augmenter* const kept = augmenters_.Find(spec);
  if (kept != nullptr) return kept;
  absl::StatusOr<raster::Augmenter> made = raster::Augmenter::Create(spec);
  if (!made.ok()) return made.status();
  return augmenters_.Keep(
      spec, std::make_unique<raster::Augmenter>(*std::move(made)));
}

}  // namespace inkstream::batch

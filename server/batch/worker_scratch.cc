#include "server/batch/worker_scratch.h"

namespace inkstream::batch {
namespace {

constexpr size_t kKept = 8;  // of each kind

template <typename Map, typename Key>
auto* FindIn(Map* map, const Key& key) {
  auto* const kept = map->Find(key);
  return kept == nullptr ? nullptr : kept->get();
}

template <typename Map, typename Key, typename Value>
auto* KeepIn(Map* map, const Key& key, Value value) {
  map->GiveUp([map] { return map->size() < kKept; },
              [](const auto&) { return true; }, [](const auto&) {});
  return map->Put(key, std::move(value))->get();
}

}  // namespace

store::DrawingReader* WorkerScratch::ReaderOf(const store::StoreReader& store) {
  store::DrawingReader* const kept = FindIn(&readers_, &store);
  return kept != nullptr ? kept
                         : KeepIn(&readers_, &store, store.NewDrawingReader());
}

absl::StatusOr<raster::Rasterizer*> WorkerScratch::RasterizerOf(
    const ImageSpec& spec, uint32_t max_side) {
  raster::Rasterizer* const kept = FindIn(&rasterizers_, spec);
  if (kept != nullptr) return kept;
  absl::StatusOr<std::unique_ptr<raster::Rasterizer>> made =
      raster::Rasterizer::Create(spec, max_side, /*has_times=*/true);
  if (!made.ok()) return made.status();
  return KeepIn(&rasterizers_, spec, *std::move(made));
}

absl::StatusOr<raster::StrokeTensor*> WorkerScratch::StrokeTensorOf(
    const StrokesSpec& spec, double dataset_std, uint32_t max_len) {
  const StrokesKey key(spec, dataset_std);
  raster::StrokeTensor* const kept = FindIn(&stroke_tensors_, key);
  if (kept != nullptr) return kept;
  absl::StatusOr<raster::StrokeTensor> made =
      raster::StrokeTensor::Create(spec, dataset_std, max_len);
  if (!made.ok()) return made.status();
  return KeepIn(&stroke_tensors_, key,
                std::make_unique<raster::StrokeTensor>(*std::move(made)));
}

absl::StatusOr<raster::Augmenter*> WorkerScratch::AugmenterOf(
    const AugmentSpec& spec) {
  raster::Augmenter* const kept = FindIn(&augmenters_, spec);
  if (kept != nullptr) return kept;
  absl::StatusOr<raster::Augmenter> made = raster::Augmenter::Create(spec);
  if (!made.ok()) return made.status();
  return KeepIn(&augmenters_, spec,
                std::make_unique<raster::Augmenter>(*std::move(made)));
}

}  // namespace inkstream::batch

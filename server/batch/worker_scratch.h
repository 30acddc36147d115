// What one worker keeps between pieces, so that drawings cost no allocation:
// decoders by store and what draws by spec.
//
// Thread safety: one object a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "inkstream/augment_spec.h"
#include "inkstream/image_spec.h"
#include "inkstream/strokes_spec.h"
#include "server/batch/lru_map.h"
#include "server/raster/augmenter.h"
#include "server/raster/rasterizer.h"
#include "server/raster/stroke_tensor.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

class WorkerScratch {
 public:
  // Each is valid until the next call for another store or spec.
  store::DrawingReader* ReaderOf(const store::StoreReader& store);
  // Whether the drawings have the times that `spec` needs was checked before.
  absl::StatusOr<raster::Rasterizer*> RasterizerOf(const ImageSpec& spec,
                                                   uint32_t max_side);
  // `dataset_std` and `max_len`: see StrokeTensor::Create.
  absl::StatusOr<raster::StrokeTensor*> StrokeTensorOf(const StrokesSpec& spec,
                                                       double dataset_std,
                                                       uint32_t max_len);
  absl::StatusOr<raster::Augmenter*> AugmenterOf(const AugmentSpec& spec);
  // Of drawings that travel as such.
  std::vector<uint8_t>* encoded() { return &encoded_; }

 private:
  using StrokesKey = std::pair<StrokesSpec, double>;
  // Enough to tell a few of each apart.
  struct Hash {
    size_t operator()(const store::StoreReader* store) const {
      return std::hash<const void*>()(store);
    }
    size_t operator()(const ImageSpec& spec) const {
      return size_t{spec.height} << 16U ^ spec.width;
    }
    size_t operator()(const StrokesKey& key) const { return key.first.max_len; }
    size_t operator()(const AugmentSpec& /*spec*/) const { return 0; }
  };
  template <typename Key, typename Value>
  using Kept = LruMap<Key, std::unique_ptr<Value>, Hash>;

  // A reader holds its store open, so the pointer that it is found by cannot
  // come to mean another store.
  Kept<const store::StoreReader*, store::DrawingReader> readers_;
  Kept<ImageSpec, raster::Rasterizer> rasterizers_;
  Kept<StrokesKey, raster::StrokeTensor> stroke_tensors_;
  Kept<AugmentSpec, raster::Augmenter> augmenters_;
  std::vector<uint8_t> encoded_;
};

}  // namespace inkstream::batch

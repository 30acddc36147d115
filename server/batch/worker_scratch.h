// What one worker keeps between pieces, so that drawings cost no allocation:
// decoders by store and what draws by spec.
//
// Thread safety: one object a thread.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "inkstream/augment_spec.h"
#include "inkstream/image_spec.h"
#include "inkstream/strokes_spec.h"
#include "server/batch/kept_few.h"
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
  // A reader holds its store open, so the pointer that it is found by cannot
  // come to mean another store.
  KeptFew<const store::StoreReader*, store::DrawingReader> readers_;
  KeptFew<ImageSpec, raster::Rasterizer> rasterizers_;
  KeptFew<std::pair<StrokesSpec, double>, raster::StrokeTensor> stroke_tensors_;
  KeptFew<AugmentSpec, raster::Augmenter> augmenters_;
  std::vector<uint8_t> encoded_;
};

}  // namespace inkstream::batch

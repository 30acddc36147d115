// What one worker keeps between pieces, so that drawings cost no allocation:
// decoders by store and rasterisers by spec, the least recently used given up
// beyond a few.
//
// Thread safety: one object a thread.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "inkstream/image_spec.h"
#include "server/raster/rasterizer.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

class WorkerScratch {
 public:
  // Valid until the next call for another store.
  store::DrawingReader* ReaderOf(const store::StoreReader& store);

  // Valid until the next call for another spec.
  absl::StatusOr<raster::Rasterizer*> RasterizerOf(const ImageSpec& spec,
                                                   uint32_t max_side);

 private:
  static constexpr size_t kKept = 8;

  // Most recently used first. A reader holds its store open, so the pointer
  // that it is found by cannot come to mean another store.
  std::list<std::pair<const store::StoreReader*,
                      std::unique_ptr<store::DrawingReader>>>
      readers_;
  std::list<std::pair<ImageSpec, std::unique_ptr<raster::Rasterizer>>>
      rasterizers_;
};

}  // namespace inkstream::batch

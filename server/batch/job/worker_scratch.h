// What one worker keeps between pieces, so that drawings cost no allocation:
// decoders by store and what draws by spec.
//
// Thread safety: one object a thread.
#pragma once

#include <cstdint>
#include <vector>

#include "server/layout/drawing_tools.h"
#include "server/layout/recently_used.h"
#include "server/raster/draw/rasterizer.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

class WorkerScratch {
 public:
  // Valid until the next call for another store.
  store::DrawingReader* ReaderOf(const store::StoreReader& store) {
    store::DrawingReader* const kept = readers_.Find(&store);
    return kept != nullptr ? kept
                           : readers_.Put(&store, store.NewDrawingReader());
  }
  layout::DrawingTools* tools() { return &tools_; }
  // Of drawings that travel as such.
  std::vector<uint8_t>* encoded() { return &encoded_; }

 private:
  // A reader holds its store open, so the pointer that it is found by cannot
  // come to mean another store.
  layout::RecentlyUsed<const store::StoreReader*, store::DrawingReader>
      readers_;
  layout::DrawingTools tools_{[](const ImageSpec& spec, uint32_t max_side) {
    return raster::Rasterizer::Create(spec, max_side, /*has_times=*/true);
  }};
  std::vector<uint8_t> encoded_;
};

}  // namespace inkstream::batch

// One drawing -> its image and its stroke tensor, each view augmented in its
// own way.
//
// Ownership: borrows its tools from a WorkerScratch and the bytes from a batch.
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "inkstream/drawing.h"
#include "server/raster/augment/augmenter.h"
#include "server/raster/draw/rasterizer.h"
#include "server/raster/tensor/stroke_tensor.h"

namespace inkstream::raster {

struct DrawingTensors {
  // Tools; nullptr: not asked for.
  Rasterizer* rasterizer = nullptr;
  StrokeTensor* stroke_tensor = nullptr;
  Augmenter* augmenter = nullptr;
  uint32_t views = 1;
  bool ragged = false;

  // Where the next drawing goes; Draw() moves them on.
  uint8_t* image = nullptr;
  uint8_t* strokes = nullptr;
  int64_t* length = nullptr;

  // Writes all views of a drawing. `key` is that of the first of them. False:
  // a view was too long under TooLong::kDrop. INVALID_ARGUMENT: too long under
  // TooLong::kError.
  absl::StatusOr<bool> Draw(const StrokesView& drawing, const AugmentKey& key);

 private:
  absl::StatusOr<bool> WriteStrokes(const StrokesView& drawing, uint64_t index);
};

}  // namespace inkstream::raster

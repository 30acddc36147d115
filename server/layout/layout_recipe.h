// What all batches of one stream have in common: which tensors, drawn how.
//
// Thread safety: plain value.
#pragma once

#include <cstdint>
#include <optional>

#include "inkstream/augment_spec.h"
#include "inkstream/image_spec.h"
#include "inkstream/strokes_spec.h"
#include "server/layout/batch_layout.h"

namespace inkstream::layout {

struct LayoutRecipe {
  BatchLayout layout;
  std::optional<ImageSpec> image;
  std::optional<StrokesSpec> strokes;
  std::optional<AugmentSpec> augment;
  double dataset_std = 0;  // for StrokeScale::kDataset
  // With the epoch, the drawing and the number of the view, what augmentation
  // is drawn from.
  uint64_t seed = 0;
  uint32_t first_view = 0;
  uint32_t max_image_side = 0;
  uint32_t max_stroke_len = 0;
  // Rows that are laid out at a time, by one thread.
  uint32_t rows_a_piece = 1;
  bool skip_damaged = false;  // ON_CORRUPT_SKIP

  bool draws() const { return image.has_value() || strokes.has_value(); }
};

// How many rows make one piece: about half a millisecond of drawing, so that
// many streams take turns quickly, and at most an even share of a batch for
// each of `threads`.
uint32_t RowsAPiece(const DeliverySpec& delivery, int threads);

// Of a fetch: a quarter of that, since it is one batch and short, and whoever
// draws it should not have to wait for a piece that another has begun.
uint32_t FetchRowsAPiece(const DeliverySpec& delivery, int threads);

}  // namespace inkstream::layout

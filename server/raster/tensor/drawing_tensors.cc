#include "server/raster/tensor/drawing_tensors.h"

#include "absl/strings/str_cat.h"

namespace inkstream::raster {

absl::StatusOr<bool> DrawingTensors::Draw(const StrokesView& drawing,
                                          const AugmentKey& key) {
  bool whole = true;
  AugmentKey view_key = key;
  DrawOptions options;
  if (augmenter != nullptr) options.bounds = BoundsOf(drawing);
  for (uint32_t view = 0; view < views; ++view, ++view_key.view) {
    StrokesView shown = drawing;
    if (augmenter != nullptr) {
      shown = augmenter->Apply(drawing, *options.bounds, view_key);
      options.line_width_factor = augmenter->line_width_factor();
    }
    if (rasterizer != nullptr) {
      rasterizer->Draw(shown, options, image);
      image += rasterizer->image_bytes();
    }
    if (stroke_tensor != nullptr) {
      absl::StatusOr<bool> fits = WriteStrokes(shown, key.index);
      if (!fits.ok()) return fits.status();
      whole &= *fits;
    }
  }
  return whole;
}

absl::StatusOr<bool> DrawingTensors::WriteStrokes(const StrokesView& drawing,
                                                  uint64_t index) {
  absl::StatusOr<StrokeTensor::Extent> extent = stroke_tensor->Load(drawing);
  if (!extent.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "delivery.strokes: drawing ", index,
        " is too long and too_long is \"error\": ", extent.status().message(),
        "; raise it, or choose \"truncate\" or \"drop\""));
  }
  *length++ = extent->length;
  if (ragged) {
    stroke_tensor->WriteRagged(strokes);
    strokes += extent->rows * stroke_tensor->row_bytes();
  } else {
    stroke_tensor->WritePadded(strokes);
    strokes += stroke_tensor->padded_bytes();
  }
  return !extent->dropped;
}

}  // namespace inkstream::raster

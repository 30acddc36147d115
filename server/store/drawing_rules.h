// What a drawing must be to enter a store.
//
// Thread safety: pure function.
#pragma once

#include "absl/status/status.h"
#include "inkstream/drawing.h"

namespace inkstream::store {

// INVALID_ARGUMENT with field, value and limit unless all of these hold:
// - 1 to 65,535 strokes, each of at least one point, 65,535 points together;
//   as many x as y; every coordinate a whole number in 0..255; no times; or a
//   raw drawing: as many raw x, y and t as points, x and y within 1,000,000, t
//   within 2^53, and on the canvas what FillCanvas makes of them;
// - word: 1 to 255 bytes, countrycode: 1 to 16 bytes, both valid UTF-8 without
//   control characters (C0, DEL, C1);
// - timestamp in the years 1 to 9999, trailing_zeros 0..6;
// - key_id at least 1;
// - split: 1 to 64 letters, digits, '_', '.' or '-'.
absl::Status ValidateDrawing(const Drawing& drawing);

}  // namespace inkstream::store

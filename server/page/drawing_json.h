// A drawing as JSON, for the page's script.
//
// Thread safety: pure function.
#pragma once

#include <cstddef>
#include <cstdint>

#include "server/base/json.h"
#include "server/batch/engine.h"

namespace inkstream::page {

inline constexpr size_t kAllPoints = SIZE_MAX;
// Of a small drawing among many: more than these nobody sees.
inline constexpr size_t kGalleryPoints = 1000;

// {"index", "word", "label", "countrycode", "timestamp", "recognized",
// "key_id", "split", "points", "strokes": [{"x", "y", "t"}]}; null is what the
// drawing has not, and "t" (milliseconds since the first point) is there where
// it was drawn with times. Of a drawing with more than `most` points, about so
// many, evenly chosen; of strokes, as many as have room. Units: the dataset's
// canvas, in hundredths.
Json DrawingJson(const batch::InspectedDrawing& inspected, size_t most);

}  // namespace inkstream::page

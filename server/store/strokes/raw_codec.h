// One raw drawing's strokes as a record: every coordinate and time exactly as
// the source has it. FORMAT.md has the bytes.
//
// Thread safety: functions on the caller's memory.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "inkstream/drawing.h"

namespace inkstream::store {

// Appends the record. REQUIRES: a raw drawing that passed ValidateDrawing.
void EncodeRawRecord(const Drawing& drawing, std::string* out);

// Replaces stroke_ends and raw. Any bytes are safe: what is not a record gives
// DATA_LOSS and leaves them in any state.
absl::Status DecodeRawRecord(absl::string_view record, Drawing* drawing);

// Makes x, y and t of a raw drawing from its raw points: moved to the origin,
// scaled so that the larger side is 255 (not rounded; a single dot stays at the
// origin), times counted from the first point. REQUIRES: as many raw x, y and
// t, at least one.
void FillCanvas(Drawing* drawing);

}  // namespace inkstream::store

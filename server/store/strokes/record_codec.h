// One drawing's strokes as a record: two runs of bits that meet in the middle.
// Counts and x deltas from the front, y deltas from the back, so that decoding
// follows two chains at once.
//
// Thread safety: functions on the caller's memory; a scratch belongs to one
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inkstream/drawing.h"
#include "server/store/strokes/byte_strokes.h"
#include "server/store/strokes/stroke_model.h"

namespace inkstream::store {

// Where a decoded drawing lies.
struct RecordScratch {
  std::vector<uint32_t> stroke_ends;
  std::vector<uint8_t> slots;  // PointSlot of each point
  std::vector<uint8_t> x_bytes;
  std::vector<uint8_t> y_bytes;
  std::vector<float> x;
  std::vector<float> y;
};

// Bytes before and after a record that its decoder may load (it never uses
// what they hold).
inline constexpr size_t kRecordMargin = 8;

// Appends the record. REQUIRES: the drawing passed ValidateDrawing.
void EncodeRecord(const StrokeModel& model, const ByteStrokes& strokes,
                  std::string* out);

// Any bytes are safe: what is not a record gives DATA_LOSS. The view borrows
// `scratch`. REQUIRES: kRecordMargin readable bytes on both sides of `record`.
absl::StatusOr<StrokesView> DecodeRecord(const StrokeModel& model,
                                         absl::string_view record,
                                         RecordScratch* scratch);
// The same, as the bytes that its coordinates are.
absl::StatusOr<ByteStrokes> DecodeBytes(const StrokeModel& model,
                                        absl::string_view record,
                                        RecordScratch* scratch);

}  // namespace inkstream::store

#include "server/store/strokes/record_codec.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "absl/status/status.h"
#include "server/store/format.h"
#include "server/store/segment/endian_io.h"
#include "server/store/strokes/stroke_walk.h"

namespace inkstream::store {
namespace {

absl::Status Overrun() {
  return absl::DataLossError("its bits end before its strokes do");
}

}  // namespace

absl::StatusOr<StrokesView> DecodeRecord(const StrokeModel& model,
                                         absl::string_view record,
                                         RecordScratch* scratch) {
  const absl::StatusOr<ByteStrokes> bytes = DecodeBytes(model, record, scratch);
  if (!bytes.ok()) return bytes.status();
  const size_t points = bytes->points();
  if (scratch->x.size() < points) {
    scratch->x.resize(points);
    scratch->y.resize(points);
  }
  float* const xs = scratch->x.data();
  float* const ys = scratch->y.data();
  for (size_t p = 0; p < points; ++p) xs[p] = bytes->x[p];
  for (size_t p = 0; p < points; ++p) ys[p] = bytes->y[p];
  return StrokesView{bytes->stroke_ends,
                     absl::MakeConstSpan(xs, points),
                     absl::MakeConstSpan(ys, points),
                     {}};
}

absl::StatusOr<ByteStrokes> DecodeBytes(const StrokeModel& model,
                                        absl::string_view record,
                                        RecordScratch* scratch) {
  const char* const begin = record.data();
  const char* const end = record.data() + record.size();
  const uint64_t total_bits = uint64_t{record.size()} * 8;
  uint64_t front = 0;
  uint64_t back = 0;

  const auto read_count = [&](int context) {
    const uint64_t ahead = LoadBig64(begin + (front >> 3)) << (front & 7);
    const CountStep step =
        model.CountSteps(context)[ahead >> (64 - kCountCodeBits)];
    front += step.bits;
    return step.base + static_cast<uint32_t>((ahead >> (64 - step.bits)) &
                                             ((1U << step.extra_bits) - 1));
  };

  if (total_bits == 0) return Overrun();
  const uint32_t strokes = read_count(0) + 1;
  // A stroke takes a bit at least; this bounds the allocation.
  if (front > total_bits || strokes > kMaxPoints) return Overrun();
  scratch->stroke_ends.resize(strokes);
  uint32_t points = 0;
  int context = FirstLengthContext(strokes);
  for (uint32_t s = 0; s < strokes; ++s) {
    if (front > total_bits) return Overrun();
    const uint32_t length = read_count(context) + 1;
    points += length;
    if (points > kMaxPoints) {
      return absl::DataLossError("more points than a drawing may have");
    }
    scratch->stroke_ends[s] = points;
    context = NextLengthContext(length);
  }
  if (scratch->x_bytes.size() < points) {
    scratch->slots.resize(points + 2);
    scratch->x_bytes.resize(points);
    scratch->y_bytes.resize(points);
  }

  // Strokes end where no branch predictor expects it, so the loop below runs
  // over all points alike and takes their slots from here.
  uint8_t* const slots = scratch->slots.data();
  std::memset(slots, kLaterPoint, points);
  uint32_t first = 0;
  for (const uint32_t stroke_end : scratch->stroke_ends) {
    slots[first] = kFirstPoint;
    // Of a stroke of one point this is the next stroke's first, set again then.
    slots[first + 1] = kSecondPoint;
    first = stroke_end;
  }

  const DeltaCodes& x_codes = model.x();
  const DeltaCodes& y_codes = model.y();
  uint8_t* const x_bytes = scratch->x_bytes.data();
  uint8_t* const y_bytes = scratch->y_bytes.data();
  uint32_t x = 0;
  uint32_t y = 0;
  uint32_t zone_x = 0;
  uint32_t zone_y = 0;
  uint32_t older_dx = kZeroClass;
  uint32_t last_dx = kZeroClass;
  uint32_t last_dy = kZeroClass;
  for (uint32_t p = 0; p < points; ++p) {
    if (front + back > total_bits) return Overrun();
    const uint64_t ahead = LoadBig64(begin + (front >> 3)) << (front & 7);
    const uint64_t behind = LoadBig64(end - (back >> 3) - 8) >> (back & 7);
    const int slot = slots[p];
    const DeltaStep in_x =
        x_codes.Steps(EarlyXContext(slot, zone_x, older_dx) +
                      LateContext(last_dx))[ahead >> (64 - kDeltaCodeBits)];
    front += in_x.bits;
    const DeltaStep in_y = y_codes.Steps(
        EarlyYContext(slot, zone_y, in_x.delta_class, last_dx) +
        LateContext(last_dy))[behind & ((1U << kDeltaCodeBits) - 1)];
    back += in_y.bits;
    zone_x = kZone[x & 255];
    zone_y = kZone[y & 255];
    x += in_x.base + static_cast<uint32_t>((ahead >> (-in_x.bits & 63)) &
                                           ((1U << in_x.extra_bits) - 1));
    y += in_y.base +
         static_cast<uint32_t>((behind >> (in_y.bits - in_y.extra_bits)) &
                               ((1U << in_y.extra_bits) - 1));
    x_bytes[p] = static_cast<uint8_t>(x);
    y_bytes[p] = static_cast<uint8_t>(y);
    older_dx = last_dx;
    last_dx = in_x.delta_class;
    last_dy = in_y.delta_class;
  }
  if (front + back > total_bits) return Overrun();
  if (total_bits - front - back >= 8) {
    return absl::DataLossError("its bits go on after its strokes");
  }
  return ByteStrokes{scratch->stroke_ends, absl::MakeConstSpan(x_bytes, points),
                     absl::MakeConstSpan(y_bytes, points)};
}

}  // namespace inkstream::store

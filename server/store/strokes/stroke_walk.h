// Walks a drawing in coding order and names each number with its context: the
// one place that trainer and encoder share.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>

#include "server/store/strokes/byte_strokes.h"
#include "server/store/strokes/stroke_symbols.h"

namespace inkstream::store {

// Calls sink.Count(context, value) for the stroke count and the stroke lengths
// (each less one), then for every point sink.X(context, delta) and
// sink.Y(context, delta), deltas modulo 256.
// REQUIRES: the strokes passed ValidateDrawing.
template <typename Sink>
void WalkStrokes(const ByteStrokes& strokes, Sink& sink) {
  const uint32_t count = static_cast<uint32_t>(strokes.strokes());
  sink.Count(0, count - 1);
  int context = FirstLengthContext(count);
  uint32_t begin = 0;
  for (const uint32_t end : strokes.stroke_ends) {
    sink.Count(context, end - begin - 1);
    context = NextLengthContext(end - begin);
    begin = end;
  }
  uint8_t x = 0;
  uint8_t y = 0;
  uint8_t zone_x = 0;
  uint8_t zone_y = 0;
  uint8_t last_dx = kZeroClass;
  uint8_t older_dx = kZeroClass;
  uint8_t last_dy = kZeroClass;
  begin = 0;
  for (const uint32_t end : strokes.stroke_ends) {
    for (uint32_t p = begin; p < end; ++p) {
      const uint8_t next_x = strokes.x[p];
      const uint8_t next_y = strokes.y[p];
      const uint8_t dx = static_cast<uint8_t>(next_x - x);
      const uint8_t dy = static_cast<uint8_t>(next_y - y);
      const uint8_t class_dx = kDeltaClass[dx];
      const PointSlot slot = p == begin       ? kFirstPoint
                             : p == begin + 1 ? kSecondPoint
                                              : kLaterPoint;
      sink.X(EarlyXContext(slot, zone_x, older_dx) + LateContext(last_dx), dx);
      sink.Y(
          EarlyYContext(slot, zone_y, class_dx, last_dx) + LateContext(last_dy),
          dy);
      zone_x = kZone[x];
      zone_y = kZone[y];
      x = next_x;
      y = next_y;
      older_dx = last_dx;
      last_dx = class_dx;
      last_dy = kDeltaClass[dy];
    }
    begin = end;
  }
}

}  // namespace inkstream::store

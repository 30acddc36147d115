// Sums over dx and dy of every point after a drawing's first, also across
// strokes: sketch-rnn divides by their standard deviation. Whole numbers, so
// that sums of parts are exactly the sums of the whole.
//
// Thread safety: plain value.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "inkstream/drawing.h"
#include "server/store/strokes/byte_strokes.h"

namespace inkstream::store {

struct DeltaSums {
  // Deltas are counted in this part of a canvas unit: exact where coordinates
  // are whole numbers, fine enough where they are not.
  static constexpr float kPerUnit = 16;

  uint64_t values = 0;  // two a point
  int64_t sum = 0;
  uint64_t squares = 0;

  void Add(const StrokesView& strokes) {
    const size_t points = strokes.points();
    if (points < 2) return;
    int64_t add_sum = 0;
    int64_t add_squares = 0;
    for (size_t i = 1; i < points; ++i) {
      const int64_t dx = InParts(strokes.x[i] - strokes.x[i - 1]);
      const int64_t dy = InParts(strokes.y[i] - strokes.y[i - 1]);
      add_sum += dx + dy;
      add_squares += dx * dx + dy * dy;
    }
    values += 2 * (points - 1);
    sum += add_sum;
    squares += static_cast<uint64_t>(add_squares);
  }
  // Whole numbers: the steps of an axis add up to its last less its first.
  void Add(const ByteStrokes& strokes) {
    const size_t points = strokes.points();
    if (points < 2) return;
    constexpr int64_t kParts = static_cast<int64_t>(kPerUnit);
    const auto ends = [&](absl::Span<const uint8_t> axis) {
      return static_cast<int64_t>(axis[points - 1]) - axis[0];
    };
    // At most 2 * 65,534 squares of 255.
    uint64_t add_squares = 0;
    for (const uint8_t* axis : {strokes.x.data(), strokes.y.data()}) {
      uint32_t of_axis = 0;
      for (size_t i = 1; i < points; ++i) {
        const int step = static_cast<int>(axis[i]) - axis[i - 1];
        of_axis += static_cast<uint32_t>(step * step);
      }
      add_squares += of_axis;
    }
    values += 2 * (points - 1);
    sum += kParts * (ends(strokes.x) + ends(strokes.y));
    squares += add_squares * static_cast<uint64_t>(kParts * kParts);
  }
  void Add(const DeltaSums& other) {
    values += other.values;
    sum += other.sum;
    squares += other.squares;
  }
  void Subtract(const DeltaSums& other) {
    values -= other.values;
    sum -= other.sum;
    squares -= other.squares;
  }

  // In canvas units; 0 where there are no deltas.
  double Std() const {
    if (values == 0) return 0;
    const double count = static_cast<double>(values);
    const double mean = static_cast<double>(sum) / count;
    const double square = static_cast<double>(squares) / count;
    return std::sqrt(std::max(0.0, square - mean * mean)) / kPerUnit;
  }

  bool operator==(const DeltaSums&) const = default;

 private:
  static int64_t InParts(float delta) {
    return static_cast<int64_t>(std::lrintf(delta * kPerUnit));
  }
};

}  // namespace inkstream::store

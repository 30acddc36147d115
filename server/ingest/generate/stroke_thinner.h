// Ramer-Douglas-Peucker on one stroke.
//
// Thread safety: one object a thread (it holds scratch memory).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "server/ingest/generate/pen.h"

namespace inkstream::ingest {

class StrokeThinner {
 public:
  // Appends to `kept` the points without which the stroke would move by more
  // than `epsilon`; the first and the last are always kept.
  void Thin(absl::Span<const Point> stroke, double epsilon,
            std::vector<Point>* kept);

 private:
  std::vector<uint8_t> keep_;                    // [points]
  std::vector<std::pair<size_t, size_t>> open_;  // runs still to be split
};

}  // namespace inkstream::ingest

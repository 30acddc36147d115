// Google's simplification of raw Quick, Draw! drawings, reproduced.
//
// The published recipe (move to the origin, scale the larger side to 255,
// resample at 1 pixel, Ramer-Douglas-Peucker with epsilon 2) leaves open how
// ties are broken, and along straight runs nearly every distance is a tie. The
// order of the floating-point operations here is the one that gives Google's
// own points on 5,272 of 5,273 drawings that are published in both forms;
// README.md has the variants that were compared.
//
// Thread safety: one object a thread (it holds scratch memory).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "inkstream/drawing.h"

namespace inkstream::ingest {

class OfficialSimplifier {
 public:
  // Points of one resampled stroke; a longer one is refused.
  static constexpr size_t kMaxResampled = size_t{1} << 20U;
  // Distances that are computed for one drawing, some tenths of a second; a
  // zigzag of 65,535 points would take 3e10.
  static constexpr uint64_t kMaxDistances = uint64_t{1} << 26U;

  // Replaces `drawing`'s strokes by the simplified form of the raw ones:
  // whole numbers 0..255. `x`, `y` [points] in any unit, finite; `stroke_ends`
  // as in StrokesView, no stroke empty. INVALID_ARGUMENT: a stroke that is
  // empty, not finite, too long or too winding.
  absl::Status Simplify(absl::Span<const uint32_t> stroke_ends,
                        absl::Span<const double> x, absl::Span<const double> y,
                        Drawing* drawing);

 private:
  absl::Status Resample();
  absl::Status MarkKept();

  uint64_t distances_ = 0;                       // computed for the drawing
  std::vector<double> scaled_x_, scaled_y_;      // of one stroke
  std::vector<double> dense_x_, dense_y_;        // of one stroke, 1 px apart
  std::vector<uint8_t> kept_;                    // [dense points]
  std::vector<std::pair<size_t, size_t>> open_;  // runs still to be split
};

}  // namespace inkstream::ingest

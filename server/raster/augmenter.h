// Applies random changes to strokes, as a function of (seed, epoch, index,
// occurrence, view) alone: a replay is bit-identical, whatever the batch, rank,
// world or transport.
//
// Thread safety: one object a thread (it holds scratch memory). No allocation
// per drawing once the scratch has grown.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/augment_spec.h"
#include "inkstream/drawing.h"
#include "server/raster/counter_random.h"
#include "server/raster/frame.h"

namespace inkstream::raster {

// What the changes to one copy of one drawing are drawn from.
struct AugmentKey {
  uint64_t seed = 0;
  uint64_t epoch = 0;
  uint64_t index = 0;
  uint64_t occurrence = 0;  // of this drawing in the epoch; 0 unless resampled
  uint32_t view = 0;        // 0, 1, ... for several copies in one batch
};

class Augmenter {
 public:
  // INVALID_ARGUMENT names the field, the value and the limit.
  static absl::StatusOr<Augmenter> Create(const AugmentSpec& spec);

  // The changed strokes, valid until the next call or until `strokes` dies.
  // Never empty unless `strokes` is. `bounds`: BoundsOf(strokes).
  StrokesView Apply(const StrokesView& strokes, const Bounds& bounds,
                    const AugmentKey& key);
  StrokesView Apply(const StrokesView& strokes, const AugmentKey& key) {
    return Apply(strokes, BoundsOf(strokes), key);
  }

  // Of the last Apply.
  float line_width_factor() const { return line_width_factor_; }

 private:
  explicit Augmenter(const AugmentSpec& spec) : spec_(spec) {}

  void SelectStrokes(const StrokesView& strokes, const CounterRandom& random);
  void CopyPoints(const StrokesView& strokes, const CounterRandom& random);
  // False: it changed nothing. Both leave their points in moved_x_, moved_y_.
  bool Transform(const Bounds& bounds, const CounterRandom& random,
                 StrokesView* strokes);
  void Jitter(const CounterRandom& random, bool moved, StrokesView* strokes);

  AugmentSpec spec_;
  float line_width_factor_ = 1;
  std::vector<uint32_t> order_;  // strokes kept, in the order drawn
  std::vector<uint32_t> stroke_ends_;
  std::vector<float> x_, y_, t_;  // of the points kept
  std::vector<float> moved_x_, moved_y_;
};

}  // namespace inkstream::raster

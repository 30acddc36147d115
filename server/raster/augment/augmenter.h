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
#include "server/raster/draw/frame.h"
#include "server/raster/draw/point_kernel.h"

namespace inkstream::raster {

// What the changes to one copy of one drawing are drawn from.
struct AugmentKey {
  uint64_t seed = 0;
  uint64_t epoch = 0;
  uint64_t index = 0;
  uint64_t occurrence = 0;  // of this drawing in the epoch; 0 unless resampled
  uint32_t view = 0;        // 0, 1, ... for several copies in one batch
};

// Whether that is offered: INVALID_ARGUMENT names the field, the value and the
// limit.
absl::Status CheckAugmentSpec(const AugmentSpec& spec);

class Augmenter {
 public:
  // Errors as CheckAugmentSpec.
  static absl::StatusOr<Augmenter> Create(const AugmentSpec& spec);

  // REQUIRES: CheckAugmentSpec(spec) is ok.
  explicit Augmenter(const AugmentSpec& spec);

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
  // Parameters drawn from a range, by their random word's number.
  enum Parameter : size_t {
    kRotation,
    kScale,
    kScaleX,
    kScaleY,
    kShear,
    kTranslateX,
    kTranslateY,
    kLineWidth,
    kRanges,
  };
  static_assert(kRanges <= kDrawingBlocks);

  void SetKey(const AugmentKey& key);
  const uint32_t* StrokeWords(const DrawingWords& words, size_t strokes);
  StrokesView Select(const DrawingWords& words, const StrokesView& strokes,
                     const uint32_t* point_words, const PointRoom& room);
  void SetMatrix(const float* values, const DrawingWords& words,
                 const Bounds& bounds);

  AugmentSpec spec_;
  bool selects_strokes_;
  float low_[kRanges];
  float span_[kRanges];
  float line_width_factor_ = 1;
  Selection selection_;
  PointChange change_;
  // What the key of the last drawing was made of, once there was one.
  bool keyed_ = false;
  uint64_t key_words_[3] = {};
  RandomKey random_;
  std::vector<uint32_t> point_words_, stroke_words_;
  std::vector<uint32_t> order_, stroke_ends_;
  std::vector<float> x_, y_, t_;
};

}  // namespace inkstream::raster

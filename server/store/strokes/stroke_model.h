// The statistics with which a segment's strokes are coded: a map from contexts
// to clusters, and one prefix code a cluster. Trained from the segment's first
// drawings, stored in the segment.
//
// Thread safety: immutable after construction; const methods from any thread.
// StrokeModelTrainer: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/strokes/byte_strokes.h"
#include "server/store/strokes/context_clusters.h"
#include "server/store/strokes/stroke_symbols.h"

namespace inkstream::store {

// One step of decoding: what the next bits stand for.
struct DeltaStep {
  uint8_t bits;        // code and extra bits together
  uint8_t extra_bits;  // the last of them
  uint8_t base;        // modulo 256
  uint8_t delta_class;
};
struct CountStep {
  uint8_t bits;
  uint8_t extra_bits;
  uint16_t base;
};
struct Code {
  uint16_t bits;
  uint8_t length;
};
// What stands for a delta: its symbol's code and its extra bits together, in
// the order that its axis writes them.
struct DeltaBits {
  uint16_t bits;
  uint16_t length;
};

// The codes of one axis.
class DeltaCodes {
 public:
  Code CodeOf(int context, int symbol) const {
    return codes_[cluster_of_[context]][symbol];
  }
  // Indexed by the delta modulo 256.
  const DeltaBits* Bits(int context) const {
    return bits_[cluster_of_[context]].data();
  }
  // Indexed by the next kDeltaCodeBits bits.
  const DeltaStep* Steps(int context) const {
    return steps_[cluster_of_[context]].data();
  }

 private:
  friend class StrokeModel;
  friend class StrokeModelTrainer;
  // `reversed`: codes are read least significant bit first. False if a code is
  // not complete or a context has no cluster.
  bool BuildTables(bool reversed);

  std::vector<uint8_t> cluster_of_;  // [contexts]
  std::array<std::array<uint8_t, kDeltaSymbols>, kClusters> lengths_{};
  std::array<std::array<Code, kDeltaSymbols>, kClusters> codes_;
  std::array<std::array<DeltaStep, 1 << kDeltaCodeBits>, kClusters> steps_;
  std::array<std::array<DeltaBits, 256>, kClusters> bits_;
};

class StrokeModel {
 public:
  static absl::StatusOr<std::shared_ptr<const StrokeModel>> Parse(
      absl::string_view bytes);
  std::string Serialize() const;

  // x and counts run forward, most significant bit first; y runs backward from
  // the record's end, least significant bit first.
  const DeltaCodes& x() const { return x_; }
  const DeltaCodes& y() const { return y_; }
  Code CountCode(int context, int symbol) const {
    return count_codes_[context][symbol];
  }
  const CountStep* CountSteps(int context) const {
    return count_steps_[context].data();
  }

 private:
  friend class StrokeModelTrainer;

  StrokeModel() = default;
  bool BuildTables();

  DeltaCodes x_;
  DeltaCodes y_;
  std::array<std::array<uint8_t, kCountSymbols>, kCountContexts>
      count_lengths_{};
  std::array<std::array<Code, kCountSymbols>, kCountContexts> count_codes_;
  std::array<std::array<CountStep, 1 << kCountCodeBits>, kCountContexts>
      count_steps_;
};

// Counts symbols of sample drawings.
class StrokeModelTrainer {
 public:
  StrokeModelTrainer();
  // REQUIRES: the drawing passed ValidateDrawing.
  void Add(const ByteStrokes& strokes);
  std::shared_ptr<const StrokeModel> Train() const;
  // What the sample takes under a model, in bits of code.
  uint64_t CodedBits(const StrokeModel& model) const;

 private:
  std::vector<DeltaCounts> x_;  // [contexts]
  std::vector<DeltaCounts> y_;
  std::array<std::array<uint32_t, kCountSymbols>, kCountContexts> count_{};
};

}  // namespace inkstream::store

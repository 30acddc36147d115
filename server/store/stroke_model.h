// The statistics with which a segment's strokes are coded: one prefix code a
// context. Trained from the segment's first drawings, stored in the segment.
//
// Thread safety: immutable after construction; const methods from any thread.
// StrokeModelTrainer: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inkstream/drawing.h"
#include "server/store/stroke_symbols.h"

namespace inkstream::store {

// One step of decoding: what the next bits stand for.
struct DeltaStep {
  uint8_t code_bits;
  uint8_t extra_bits;
  uint8_t base;    // modulo 256
  uint8_t symbol;  // of the bucket
};
struct CountStep {
  uint8_t code_bits;
  uint8_t extra_bits;
  uint16_t base;
};
struct Code {
  uint16_t bits;
  uint8_t length;
};

class StrokeModel {
 public:
  // The stored form: code lengths, four bits each.
  static absl::StatusOr<std::shared_ptr<const StrokeModel>> Parse(
      absl::string_view bytes);
  std::string Serialize() const;

  // Codes for writing. x and counts run forward, most significant bit first;
  // y runs backward from the record's end, least significant bit first, so its
  // codes are reversed.
  Code XCode(int context, int symbol) const {
    return x_codes_[context][symbol];
  }
  Code YCode(int context, int symbol) const {
    return y_codes_[context][symbol];
  }
  Code CountCode(int context, int symbol) const {
    return count_codes_[context][symbol];
  }

  // Tables for reading, indexed by the next kDeltaCodeBits or kCountCodeBits.
  const DeltaStep* XSteps(int context) const {
    return x_steps_[context].data();
  }
  const DeltaStep* YSteps(int context) const {
    return y_steps_[context].data();
  }
  const CountStep* CountSteps(int context) const {
    return count_steps_[context].data();
  }

 private:
  friend class StrokeModelTrainer;
  using DeltaLengths = std::array<uint8_t, kDeltaSymbols>;
  using CountLengths = std::array<uint8_t, kCountSymbols>;

  StrokeModel() = default;
  // False if a code is not complete.
  bool BuildTables();

  std::array<DeltaLengths, kXContexts> x_lengths_;
  std::array<DeltaLengths, kYContexts> y_lengths_;
  std::array<CountLengths, kCountContexts> count_lengths_;

  std::array<std::array<Code, kDeltaSymbols>, kXContexts> x_codes_;
  std::array<std::array<Code, kDeltaSymbols>, kYContexts> y_codes_;
  std::array<std::array<Code, kCountSymbols>, kCountContexts> count_codes_;

  std::array<std::array<DeltaStep, 1 << kDeltaCodeBits>, kXContexts> x_steps_;
  std::array<std::array<DeltaStep, 1 << kDeltaCodeBits>, kYContexts> y_steps_;
  std::array<std::array<CountStep, 1 << kCountCodeBits>, kCountContexts>
      count_steps_;
};

// Counts symbols of sample drawings.
class StrokeModelTrainer {
 public:
  // REQUIRES: the drawing passed ValidateDrawing.
  void Add(const Drawing& drawing);
  std::shared_ptr<const StrokeModel> Train() const;

 private:
  std::array<std::array<uint32_t, kDeltaSymbols>, kXContexts> x_{};
  std::array<std::array<uint32_t, kDeltaSymbols>, kYContexts> y_{};
  std::array<std::array<uint32_t, kCountSymbols>, kCountContexts> count_{};
};

}  // namespace inkstream::store

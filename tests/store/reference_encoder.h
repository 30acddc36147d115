// EncodeRecord bit by bit, as FORMAT.md says it: what the fast one is compared
// with.
#pragma once

#include <cstdint>
#include <string>

#include "server/store/strokes/byte_strokes.h"
#include "server/store/strokes/stroke_model.h"
#include "server/store/strokes/stroke_walk.h"

namespace inkstream::store {
namespace internal {

// Bits most significant first.
class ForwardBits {
 public:
  explicit ForwardBits(std::string* out) : out_(out) {}

  void Put(uint32_t bits, int count) {
    held_ = held_ << count | bits;
    for (held_bits_ += count; held_bits_ >= 8; held_bits_ -= 8) {
      out_->push_back(static_cast<char>(held_ >> (held_bits_ - 8)));
    }
  }
  // The bits that fill no byte, at the top of one, and their number.
  uint8_t rest() const {
    return static_cast<uint8_t>(held_ << (8 - held_bits_));
  }
  int rest_bits() const { return held_bits_; }

 private:
  std::string* out_;
  uint64_t held_ = 0;
  int held_bits_ = 0;
};

// Bits least significant first, into a buffer that is turned round at the end.
class BackwardBits {
 public:
  void Clear() {
    bytes_.clear();
    held_ = 0;
    held_bits_ = 0;
  }
  void Put(uint32_t bits, int count) {
    held_ |= static_cast<uint64_t>(bits) << held_bits_;
    for (held_bits_ += count; held_bits_ >= 8; held_bits_ -= 8) {
      bytes_.push_back(static_cast<char>(held_));
      held_ >>= 8;
    }
  }
  const std::string& bytes() const { return bytes_; }
  uint8_t rest() const { return static_cast<uint8_t>(held_); }
  int rest_bits() const { return held_bits_; }

 private:
  std::string bytes_;
  uint64_t held_ = 0;
  int held_bits_ = 0;
};

struct RecordSink {
  const StrokeModel& model;
  ForwardBits front;
  BackwardBits& back;

  void Count(int context, uint32_t value) {
    const int symbol = CountSymbolOf(value);
    const Code code = model.CountCode(context, symbol);
    front.Put(code.bits, code.length);
    front.Put(value - kCountBuckets[symbol].base,
              kCountBuckets[symbol].extra_bits);
  }
  void X(int context, uint8_t delta) {
    const int symbol = kDeltaSymbolOf[delta];
    const Code code = model.x().CodeOf(context, symbol);
    front.Put(code.bits, code.length);
    front.Put(Extra(symbol, delta), kDeltaBuckets[symbol].extra_bits);
  }
  void Y(int context, uint8_t delta) {
    const int symbol = kDeltaSymbolOf[delta];
    const Code code = model.y().CodeOf(context, symbol);
    back.Put(code.bits, code.length);
    back.Put(Extra(symbol, delta), kDeltaBuckets[symbol].extra_bits);
  }
  static uint8_t Extra(int symbol, uint8_t delta) {
    return static_cast<uint8_t>(delta - kDeltaBuckets[symbol].base);
  }
};

}  // namespace internal

inline void ReferenceEncodeRecord(const StrokeModel& model,
                                  const ByteStrokes& strokes,
                                  std::string* out) {
  internal::BackwardBits back;
  back.Clear();
  internal::RecordSink sink{model, internal::ForwardBits(out), back};
  WalkStrokes(strokes, sink);
  const int rest_bits = sink.front.rest_bits() + back.rest_bits();
  if (rest_bits > 0 && rest_bits <= 8) {
    out->push_back(static_cast<char>(sink.front.rest() | back.rest()));
  } else if (rest_bits > 8) {
    out->push_back(static_cast<char>(sink.front.rest()));
    out->push_back(static_cast<char>(back.rest()));
  }
  out->append(back.bytes().rbegin(), back.bytes().rend());
}

}  // namespace inkstream::store

// EncodeRecord: a table gives code and extra bits of a delta at once, and bits
// are stored eight bytes at a time, whether they fill them or not.
// tests/store/reference_encoder.h says the same slowly.

#include <cstdint>
#include <cstring>
#include <vector>

#include "server/store/strokes/record_codec.h"
#include "server/store/strokes/stroke_symbols.h"
#include "server/store/strokes/stroke_walk.h"

namespace inkstream::store {
namespace {

// A code of kCountCodeBits and up to 13 extra bits.
constexpr size_t kMostCountBytes = 3;
// A code of kDeltaCodeBits and up to 5 extra bits.
constexpr size_t kMostDeltaBytes = 2;
constexpr size_t kStoreBytes = 8;

// Bits most significant first, forwards from `at`.
struct ForwardBits {
  uint8_t* at;
  uint64_t held = 0;  // in its lowest bits
  int bits = 0;       // below 8 between calls

  // REQUIRES: 1 <= count <= 48, `value` has no more bits.
  void Put(uint32_t value, int count) {
    held = held << count | value;
    bits += count;
    const uint64_t ordered = __builtin_bswap64(held << (64 - bits));
    std::memcpy(at, &ordered, sizeof(ordered));
    at += bits >> 3;
    bits &= 7;
  }
};

// Bits least significant first, backwards from `at`.
struct BackwardBits {
  uint8_t* at;
  uint64_t held = 0;
  int bits = 0;  // below 8 between calls; the others of `held` are 0

  void Put(uint32_t value, int count) {
    held |= static_cast<uint64_t>(value) << bits;
    bits += count;
    const uint64_t ordered = __builtin_bswap64(held);
    std::memcpy(at - sizeof(ordered), &ordered, sizeof(ordered));
    at -= bits >> 3;
    held >>= bits & ~7;
    bits &= 7;
  }
};

// One a thread.
struct Scratch {
  std::vector<uint8_t> front, back;
};

// As the walk of a drawing names its numbers.
struct RecordSink {
  const StrokeModel& model;
  ForwardBits front;
  BackwardBits back;

  void Count(int context, uint32_t value) {
    const int symbol = CountSymbolOf(value);
    const Code code = model.CountCode(context, symbol);
    const Bucket bucket = kCountBuckets[symbol];
    front.Put(static_cast<uint32_t>(code.bits) << bucket.extra_bits |
                  (value - static_cast<uint32_t>(bucket.base)),
              code.length + bucket.extra_bits);
  }
  void X(int context, uint8_t delta) {
    const DeltaBits code = model.x().Bits(context)[delta];
    front.Put(code.bits, code.length);
  }
  void Y(int context, uint8_t delta) {
    const DeltaBits code = model.y().Bits(context)[delta];
    back.Put(code.bits, code.length);
  }
};

}  // namespace

void EncodeRecord(const StrokeModel& model, const ByteStrokes& strokes,
                  std::string* out) {
  thread_local Scratch scratch;
  const size_t points = strokes.points();
  const size_t counts = strokes.strokes() + 1;
  const size_t back_bytes = points * kMostDeltaBytes + 2 * kStoreBytes;
  if (scratch.back.size() < back_bytes) scratch.back.resize(back_bytes);
  const size_t front_bytes =
      counts * kMostCountBytes + points * kMostDeltaBytes + 2 * kStoreBytes;
  if (scratch.front.size() < front_bytes) scratch.front.resize(front_bytes);
  uint8_t* const back_end = scratch.back.data() + scratch.back.size();
  RecordSink sink{model, {scratch.front.data()}, {back_end}};
  WalkStrokes(strokes, sink);
  const ForwardBits& front = sink.front;
  const BackwardBits& back = sink.back;

  // The bytes that are not full lie at front.at[0] and back.at[-1].
  out->append(reinterpret_cast<const char*>(scratch.front.data()),
              static_cast<size_t>(front.at - scratch.front.data()));
  const uint8_t front_rest =
      front.bits == 0 ? 0
                      : static_cast<uint8_t>(front.held << (8 - front.bits));
  const uint8_t back_rest = static_cast<uint8_t>(back.held);
  if (front.bits + back.bits > 8) {
    out->push_back(static_cast<char>(front_rest));
    out->push_back(static_cast<char>(back_rest));
  } else if (front.bits + back.bits > 0) {
    out->push_back(static_cast<char>(front_rest | back_rest));
  }
  out->append(reinterpret_cast<const char*>(back.at),
              static_cast<size_t>(back_end - back.at));
}

}  // namespace inkstream::store

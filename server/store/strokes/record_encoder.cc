// EncodeRecord: a table gives code and extra bits of a delta at once, and bits
// are stored eight bytes at a time, whether they fill them or not.
// tests/store/reference_encoder.h says the same slowly.

#include <cstdint>
#include <cstring>
#include <vector>

#include "server/store/strokes/record_codec.h"
#include "server/store/strokes/stroke_symbols.h"

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

void PutCount(const StrokeModel& model, int context, uint32_t value,
              ForwardBits* front) {
  const int symbol = CountSymbolOf(value);
  const Code code = model.CountCode(context, symbol);
  const Bucket bucket = kCountBuckets[symbol];
  front->Put(static_cast<uint32_t>(code.bits) << bucket.extra_bits |
                 (value - static_cast<uint32_t>(bucket.base)),
             code.length + bucket.extra_bits);
}

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
  const uint8_t* const xs = strokes.x.data();
  const uint8_t* const ys = strokes.y.data();

  uint8_t* const back_end = scratch.back.data() + scratch.back.size();
  ForwardBits front{scratch.front.data()};
  BackwardBits back{back_end};
  const uint32_t count = static_cast<uint32_t>(strokes.strokes());
  PutCount(model, 0, count - 1, &front);
  int context = FirstLengthContext(count);
  uint32_t begin = 0;
  for (const uint32_t end : strokes.stroke_ends) {
    PutCount(model, context, end - begin - 1, &front);
    context = NextLengthContext(end - begin);
    begin = end;
  }

  const DeltaCodes& x_codes = model.x();
  const DeltaCodes& y_codes = model.y();
  uint8_t x = 0, y = 0, zone_x = 0, zone_y = 0;
  uint8_t last_dx = kZeroClass, older_dx = kZeroClass, last_dy = kZeroClass;
  begin = 0;
  for (const uint32_t end : strokes.stroke_ends) {
    for (uint32_t p = begin; p < end; ++p) {
      const int slot = p == begin       ? kFirstPoint
                       : p == begin + 1 ? kSecondPoint
                                        : kLaterPoint;
      const uint8_t dx = static_cast<uint8_t>(xs[p] - x);
      const uint8_t dy = static_cast<uint8_t>(ys[p] - y);
      const uint8_t class_dx = kDeltaClass[dx];
      const DeltaBits in_x = x_codes.Bits(
          EarlyXContext(slot, zone_x, older_dx) + LateContext(last_dx))[dx];
      const DeltaBits in_y =
          y_codes.Bits(EarlyYContext(slot, zone_y, class_dx, last_dx) +
                       LateContext(last_dy))[dy];
      front.Put(in_x.bits, in_x.length);
      back.Put(in_y.bits, in_y.length);
      zone_x = kZone[x];
      zone_y = kZone[y];
      x = xs[p];
      y = ys[p];
      older_dx = last_dx;
      last_dx = class_dx;
      last_dy = kDeltaClass[dy];
    }
    begin = end;
  }

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

// How strokes become symbols: which number is coded in which context. Encoder,
// decoder and trainer share these functions; changing any of them changes the
// format. The reasons, with the figures, are in FORMAT.md.
//
// Thread safety: constants and pure functions.
#pragma once

#include <array>
#include <cstdint>

namespace inkstream::store {

// A symbol stands for `1 << extra_bits` values from `base` on.
struct Bucket {
  int32_t base = 0;
  uint8_t extra_bits = 0;
};

// Coordinate deltas, modulo 256, as -128..127. Bucket widths double twice an
// octave: within a bucket values are close to equally likely.
inline constexpr int kDeltaSymbols = 28;
// Values of at least 0 (lengths minus one, strokes minus one).
inline constexpr int kCountSymbols = 60;

inline constexpr int kDeltaCodeBits = 8;   // longest code of a delta
inline constexpr int kCountCodeBits = 10;  // longest code of a count

namespace stroke_symbols_internal {

constexpr int FloorLog2(uint32_t value) {
  int log = 0;
  while (value >>= 1) ++log;
  return log;
}

constexpr std::array<Bucket, kDeltaSymbols> MakeDeltaBuckets() {
  std::array<Bucket, kDeltaSymbols> buckets{};
  // 0: zero; 2m-1: the negative twin of 2m; the last one is -128 alone.
  int32_t base = 1;
  for (int m = 1; m <= 13; ++m) {
    const uint8_t extra = m < 4 ? 0 : static_cast<uint8_t>((m - 2) / 2);
    buckets[2 * m] = {base, extra};
    buckets[2 * m - 1] = {-(base + (1 << extra) - 1), extra};
    base += 1 << extra;
  }
  buckets[27] = {-128, 0};
  return buckets;
}

constexpr std::array<Bucket, kCountSymbols> MakeCountBuckets() {
  std::array<Bucket, kCountSymbols> buckets{};
  int32_t base = 0;
  for (int s = 0; s < kCountSymbols; ++s) {
    const uint8_t extra = s < 8 ? 0 : static_cast<uint8_t>((s - 4) / 4);
    buckets[s] = {base, extra};
    base += 1 << extra;
  }
  return buckets;
}

}  // namespace stroke_symbols_internal

inline constexpr std::array<Bucket, kDeltaSymbols> kDeltaBuckets =
    stroke_symbols_internal::MakeDeltaBuckets();
inline constexpr std::array<Bucket, kCountSymbols> kCountBuckets =
    stroke_symbols_internal::MakeCountBuckets();

namespace stroke_symbols_internal {

constexpr std::array<uint8_t, 256> MakeDeltaSymbolOf() {
  std::array<uint8_t, 256> symbol{};
  for (int s = 0; s < kDeltaSymbols; ++s) {
    for (int i = 0; i < (1 << kDeltaBuckets[s].extra_bits); ++i) {
      symbol[static_cast<uint8_t>(kDeltaBuckets[s].base + i)] = s;
    }
  }
  return symbol;
}

constexpr int DeltaSize(int delta) {
  const int size = delta < 0 ? -delta : delta;
  return size < 1    ? 0
         : size < 3  ? 1
         : size < 8  ? 2
         : size < 16 ? 3
         : size < 48 ? 4
                     : 5;
}

// A delta as context: sign and one of six sizes, 0..10. All values of a symbol
// are of one class, so that decoding knows the class with the symbol.
constexpr std::array<uint8_t, 256> MakeDeltaClass() {
  std::array<uint8_t, 256> result{};
  for (int d = -128; d < 128; ++d) {
    result[static_cast<uint8_t>(d)] =
        static_cast<uint8_t>(d < 0 ? 5 - DeltaSize(d) : 5 + DeltaSize(d));
  }
  return result;
}

// Where a point lies between the canvas's edges, 0..6: near one, the next
// delta can hardly go on towards it.
constexpr std::array<uint8_t, 256> MakeZone() {
  std::array<uint8_t, 256> zone{};
  for (int v = 0; v < 256; ++v) {
    zone[v] = v < 8     ? 0
              : v < 32  ? 1
              : v < 96  ? 2
              : v < 160 ? 3
              : v < 224 ? 4
              : v < 248 ? 5
                        : 6;
  }
  return zone;
}

}  // namespace stroke_symbols_internal

inline constexpr std::array<uint8_t, 256> kDeltaSymbolOf =
    stroke_symbols_internal::MakeDeltaSymbolOf();
inline constexpr std::array<uint8_t, 256> kDeltaClass =
    stroke_symbols_internal::MakeDeltaClass();
inline constexpr std::array<uint8_t, 256> kZone =
    stroke_symbols_internal::MakeZone();
inline constexpr int kZones = 7;
inline constexpr int kDeltaClasses = 11;
inline constexpr uint8_t kZeroClass = 5;
// Classes joined to five: large or small of either sign, and nearly none.
inline constexpr std::array<uint8_t, kDeltaClasses> kCoarseClass = {
    0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4};
inline constexpr int kCoarseClasses = 5;

constexpr int CountSymbolOf(uint32_t value) {
  if (value < 8) return static_cast<int>(value);
  const int log = stroke_symbols_internal::FloorLog2(value);
  return 8 + (log - 3) * 4 + static_cast<int>((value >> (log - 2)) & 3);
}

// A context says what is known when a delta is coded. There are more contexts
// than could each have a code of its own: a model maps them to kClusters codes.
inline constexpr int kClusters = 32;

// Where in its stroke a point stands.
enum PointSlot : uint8_t {
  kLaterPoint = 0,
  kFirstPoint = 1,
  kSecondPoint = 2,
};
inline constexpr int kSlots = 3;

inline constexpr int kXContexts =
    kSlots * kZones * kDeltaClasses * kCoarseClasses;
inline constexpr int kYContexts = kXContexts * kDeltaClasses;

// A context is the sum of two parts: what is known early, and the class of the
// delta before on the same axis, which decoding waits for. `zone`: of the
// coordinate one point before the one that the delta starts from; that of the
// starting point itself would save 0.2 bytes a drawing and make the wait
// longer. For the same reason x looks only at x: the axes are decoded side by
// side. `last_dx`, `older_dx`, `last_dy`: classes of the deltas before, across
// strokes; `dx`: of the point's own.
inline int EarlyXContext(int slot, int zone, int older_dx) {
  return (slot * kZones + zone) * kDeltaClasses * kCoarseClasses +
         kCoarseClass[older_dx];
}
inline int EarlyYContext(int slot, int zone, int dx, int last_dx) {
  return ((slot * kZones + zone) * kDeltaClasses + dx) * kDeltaClasses *
             kCoarseClasses +
         kCoarseClass[last_dx];
}
inline int LateContext(int last) { return last * kCoarseClasses; }

// Counts: the number of strokes, then lengths by the length before.
inline constexpr int kCountContexts = 12;
inline int FirstLengthContext(uint32_t strokes) {
  return strokes == 1 ? 1 : strokes < 4 ? 2 : strokes < 8 ? 3 : 4;
}
inline constexpr std::array<uint8_t, 16> kNextLengthContext = {
    5, 5, 5, 6, 7, 8, 8, 9, 9, 9, 10, 10, 10, 10, 10, 11};
inline int NextLengthContext(uint32_t length) {
  return kNextLengthContext[length < 15 ? length : 15];
}

}  // namespace inkstream::store

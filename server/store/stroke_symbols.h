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

inline constexpr int kDeltaCodeBits = 9;   // longest code of a delta
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

// A delta as context: sign and one of five sizes.
constexpr std::array<uint8_t, 256> MakeDeltaClass() {
  std::array<uint8_t, 256> result{};
  for (int d = -128; d < 128; ++d) {
    const int size = d < 0 ? -d : d;
    const int c = size < 2    ? 0
                  : size < 6  ? 1
                  : size < 16 ? 2
                  : size < 48 ? 3
                              : 4;
    result[static_cast<uint8_t>(d)] = d < 0 ? 4 - c : 4 + c;
  }
  return result;
}

}  // namespace stroke_symbols_internal

inline constexpr std::array<uint8_t, 256> kDeltaSymbolOf =
    stroke_symbols_internal::MakeDeltaSymbolOf();
inline constexpr std::array<uint8_t, 256> kDeltaClass =
    stroke_symbols_internal::MakeDeltaClass();
inline constexpr int kDeltaClasses = 9;

constexpr int CountSymbolOf(uint32_t value) {
  if (value < 8) return static_cast<int>(value);
  const int log = stroke_symbols_internal::FloorLog2(value);
  return 8 + (log - 3) * 4 + static_cast<int>((value >> (log - 2)) & 3);
}

// Where a point stands: it decides what is known about it.
enum PointSlot : uint8_t {
  kFirstOfDrawing = 0,
  kFirstOfStroke = 1,
  kSecondOfStroke = 2,
  kLaterPoint = 3,
};

inline constexpr int kXContexts = 3 + kDeltaClasses;
inline constexpr int kYContexts =
    3 * kDeltaClasses + kDeltaClasses * kDeltaClasses;

// `previous_dx`, `previous_dy`: the delta before, in the same stroke.
inline int XContext(PointSlot slot, uint8_t previous_dx) {
  return slot < kLaterPoint ? slot : 3 + kDeltaClass[previous_dx];
}
inline int YContext(PointSlot slot, uint8_t dx, uint8_t previous_dy) {
  const int row = slot < kLaterPoint ? slot : 3 + kDeltaClass[previous_dy];
  return row * kDeltaClasses + kDeltaClass[dx];
}

// Counts: the number of strokes, the first stroke's length, later lengths.
inline constexpr int kCountContexts = 9;
inline int FirstLengthContext(uint32_t strokes) {
  return strokes == 1 ? 1 : strokes < 4 ? 2 : strokes < 8 ? 3 : 4;
}
inline int NextLengthContext(uint32_t previous_length) {
  return previous_length < 3   ? 5
         : previous_length < 5 ? 6
         : previous_length < 9 ? 7
                               : 8;
}

}  // namespace inkstream::store

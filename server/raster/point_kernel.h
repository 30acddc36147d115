// What is done with all points of a drawing before it is drawn: its bounds, and
// the changes of an Augmenter. Compiled once for each instruction set and
// chosen at run time; every target gives the same bits.
//
// Thread safety: reentrant functions on the caller's memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "inkstream/drawing.h"
#include "server/raster/philox.h"

namespace inkstream::raster {

// Elements that may be written past the end of what is asked for.
inline constexpr size_t kPointSlack = 64;

// Which drawing random numbers are for.
struct RandomKey {
  PhiloxKey key;
  uint32_t view = 0;
  uint64_t index = 0;
};

// What a random number decides: the highest bits of its block's number.
enum class RandomUse : uint32_t {
  kParameter = 0,
  kStroke = 1U << 30U,
  kPoint = 2U << 30U,
};

// The block of this number; what the functions below fill arrays from.
constexpr PhiloxBlock RandomBlock(const RandomKey& key, RandomUse use,
                                  uint32_t number) {
  return Philox({static_cast<uint32_t>(use) | number, key.view,
                 static_cast<uint32_t>(key.index),
                 static_cast<uint32_t>(key.index >> 32U)},
                key.key);
}

// Blocks 0..3 of the parameters and of the first strokes, a word after another:
// word w of parameter block b is words[16 * w + b], of stroke s
// words[16 * w + 4 + s].
inline constexpr size_t kParameterBlocks = 4;
inline constexpr size_t kFirstStrokes = 12;
struct FirstWords {
  alignas(64) uint32_t words[64];
};
// `strokes` false: of the parameters only.
void FillFirstWords(const RandomKey& key, bool strokes, FirstWords* out);

// Two words for each of `points` points: point i has those of block
// 16 (i / 32) + i % 16, the last two if i % 32 >= 16.
void FillPointWords(const RandomKey& key, size_t points, uint32_t* first,
                    uint32_t* second);

// What happens to a point, in this order.
struct PointChange {
  // The matrix, about (from_x, from_y), which goes to (to_x, to_y).
  bool moves = false;
  float xx = 1, xy = 0, yx = 0, yy = 1;
  float from_x = 0, from_y = 0, to_x = 0, to_y = 0;
  // Deviation of the jitter; a coordinate's is made of the low 24 bits of its
  // word, the sum of four 6-bit numbers.
  float jitter = 0;
  // Inner points of strokes go if the 16 bits that jitter leaves are less.
  uint32_t drop_below = 0;
};

// Where changed points go; room for kPointSlack more. t: nullptr without times.
struct PointRoom {
  float* x = nullptr;
  float* y = nullptr;
  float* t = nullptr;
};

// Changes the strokes named in `order`, one after another. Returns the points
// left and writes the end of each stroke. `first`, `second`: the words of the
// points of `strokes`; not read without jitter and dropout.
size_t ChangeStrokes(const PointChange& change, const StrokesView& strokes,
                     absl::Span<const uint32_t> order, const uint32_t* first,
                     const uint32_t* second, PointRoom out, uint32_t* ends);

// The same for all points in one run, none of which may be dropped.
void ChangePoints(const PointChange& change, const StrokesView& strokes,
                  const uint32_t* first, const uint32_t* second, PointRoom out);

}  // namespace inkstream::raster

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
#include "server/raster/augment/philox.h"

namespace inkstream::raster {

// Elements that may be written past the end of what is asked for.
inline constexpr size_t kPointSlack = 64;

// Which drawing random numbers are for.
struct RandomKey {
  PhiloxRounds rounds;
  uint32_t view = 0;
  uint64_t index = 0;
};

// What a random number decides: the highest bits of its block's number.
enum class RandomUse : uint32_t {
  kDrawing = 0,
  kStroke = 1U << 30U,
  kPoint = 2U << 30U,
};

// What the functions below fill arrays from; `number` includes the use.
constexpr PhiloxBlock NumberedBlock(const RandomKey& key, uint32_t number) {
  return Philox({number, key.view, static_cast<uint32_t>(key.index),
                 static_cast<uint32_t>(key.index >> 32U)},
                key.rounds);
}
constexpr PhiloxBlock RandomBlock(const RandomKey& key, RandomUse use,
                                  uint32_t number) {
  return NumberedBlock(key, static_cast<uint32_t>(use) | number);
}

// Lane b of each array has a word of block b of the drawing: ranges the first,
// strokes the second and then the third, chances the last.
inline constexpr size_t kDrawingBlocks = 8;
inline constexpr size_t kFirstStrokes = 2 * kDrawingBlocks;
struct DrawingWords {
  alignas(64) uint32_t strokes[kFirstStrokes];
  uint32_t ranges[kDrawingBlocks];
  uint32_t chances[kDrawingBlocks];
};

// Points of a run share 16 blocks: point i has word i % 64 / 16 of block
// 16 (i / 64) + i % 16.
inline constexpr size_t kPointBlocks = 16;
inline constexpr size_t kPointRun = 4 * kPointBlocks;

// Draws the words of a drawing and of its `points` points (0: of none).
void FillWords(const RandomKey& key, size_t points, DrawingWords* drawing,
               uint32_t* of_points);

// Which strokes stay, where they come, and which of their points stay.
struct Selection {
  // A word a stroke, and more to the next multiple of 16; nullptr: all stay in
  // their order.
  const uint32_t* stroke_words = nullptr;
  // Strokes go if the low 16 bits of their word are less.
  uint32_t drop_strokes_below = 0;
  // By the high 16 bits.
  bool shuffled = false;
  // Which stays where all would go.
  uint32_t last_word = 0;
  // A word a point. Inner points of strokes go if its high 12 bits are less.
  const uint32_t* point_words = nullptr;
  uint32_t drop_points_below = 0;
};

// Where points go; room for kPointSlack more. t: nullptr without times.
struct PointRoom {
  float* x = nullptr;
  float* y = nullptr;
  float* t = nullptr;
};

// Where strokes go; room for kPointSlack more.
struct StrokeRoom {
  uint32_t* order = nullptr;  // for work
  uint32_t* ends = nullptr;   // where each of those left ends
};

struct Left {
  size_t strokes = 0;
  size_t points = 0;
};

// Copies what stays, stroke after stroke.
Left SelectStrokes(const Selection& selection, const StrokesView& strokes,
                   const StrokeRoom& stroke_room, const PointRoom& point_room);

// What happens to the place of a point, in this order.
struct PointChange {
  bool moves = false;
  float xx = 1, xy = 0, yx = 0, yy = 1;
  float x = 0, y = 0;
  // Deviation of the jitter, made of the low 20 bits of a word: four 5-bit
  // numbers, the sum of two along each diagonal.
  float jitter = 0;
};

// `words`: one a point; not read without jitter. `out` may be where the points
// are.
void ChangePoints(const PointChange& change, absl::Span<const float> x,
                  absl::Span<const float> y, const uint32_t* words,
                  const PointRoom& out);

}  // namespace inkstream::raster

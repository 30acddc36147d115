// Drawings made from a number, the same on every machine.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/drawing.h"

namespace inkstream::testing {

enum class DrawingKind {
  kScribble,   // several strokes of short segments, as people draw
  kZigzag,     // one stroke that crosses itself many times
  kLongLines,  // strokes of one long segment each, in all directions
  kDots,       // strokes of one point, and of equal points
  kOutside,    // strokes that leave the canvas far
  kThousands,  // 10,000 points
};

Drawing GeneratedDrawing(DrawingKind kind, uint64_t seed);

struct NamedDrawing {
  std::string name;
  Drawing drawing;
};
// One or more of every kind.
std::vector<NamedDrawing> GeneratedDrawings();

}  // namespace inkstream::testing

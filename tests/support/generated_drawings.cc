#include "tests/support/generated_drawings.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace inkstream::testing {
namespace {

// SplitMix64; whole numbers only, so that coordinates are exact.
class Numbers {
 public:
  explicit Numbers(uint64_t seed) : state_(seed) {}

  int In(int low, int high) {
    state_ += 0x9E3779B97F4A7C15U;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    z ^= z >> 31;
    return low + static_cast<int>(z % static_cast<uint64_t>(high - low + 1));
  }

 private:
  uint64_t state_;
};

class Pen {
 public:
  explicit Pen(Drawing& drawing) : drawing_(drawing) {}
  void To(int x, int y) {
    drawing_.x.push_back(static_cast<float>(x));
    drawing_.y.push_back(static_cast<float>(y));
  }
  // Somewhere; arguments are evaluated in an order that differs among machines.
  void To(Numbers& numbers, int low) {
    const int y = numbers.In(low, 255);
    const int x = numbers.In(low, 255);
    To(x, y);
  }
  void Up() {
    drawing_.stroke_ends.push_back(static_cast<uint32_t>(drawing_.x.size()));
  }

 private:
  Drawing& drawing_;
};

void Wander(Numbers& numbers, Pen& pen, int points, int step) {
  int x = numbers.In(0, 255);
  int y = numbers.In(0, 255);
  int dx = numbers.In(-step, step);
  int dy = numbers.In(-step, step);
  for (int i = 0; i < points; ++i) {
    pen.To(x, y);
    dx = std::clamp(dx + numbers.In(-step / 2, step / 2), -step, step);
    dy = std::clamp(dy + numbers.In(-step / 2, step / 2), -step, step);
    x = std::clamp(x + dx, 0, 255);
    y = std::clamp(y + dy, 0, 255);
  }
  pen.Up();
}

}  // namespace

Drawing GeneratedDrawing(DrawingKind kind, uint64_t seed) {
  Numbers numbers(seed * 16 + static_cast<uint64_t>(kind));
  Drawing drawing;
  Pen pen(drawing);
  switch (kind) {
    case DrawingKind::kScribble: {
      const int strokes = numbers.In(1, 8);
      for (int s = 0; s < strokes; ++s) {
        const int step = numbers.In(6, 40);
        const int points = numbers.In(2, 20);
        Wander(numbers, pen, points, step);
      }
      break;
    }
    case DrawingKind::kZigzag:
      Wander(numbers, pen, 40, 200);
      break;
    case DrawingKind::kLongLines:
      for (int s = 0; s < 6; ++s) {
        pen.To(numbers, 0);
        pen.To(numbers, 0);
        pen.Up();
      }
      // Level and upright ones, and nearly so.
      for (const auto& [x, y] :
           {std::pair{255, 0}, {255, 2}, {0, 255}, {2, 255}}) {
        pen.To(0, 0);
        pen.To(x, y);
        pen.Up();
      }
      break;
    case DrawingKind::kDots:
      for (int s = 0; s < 6; ++s) {
        const int x = numbers.In(0, 255);
        const int y = numbers.In(0, 255);
        const int times = s % 3 + 1;
        for (int i = 0; i < times; ++i) pen.To(x, y);
        pen.Up();
      }
      break;
    case DrawingKind::kOutside:
      pen.To(0, 0);
      pen.To(255, 255);
      pen.Up();
      for (int s = 0; s < 4; ++s) {
        pen.To(numbers, -2000);
        pen.To(numbers, 0);
        pen.To(numbers, -100000);
        pen.Up();
      }
      break;
    case DrawingKind::kThousands:
      for (int s = 0; s < 20; ++s) Wander(numbers, pen, 500, 6);
      break;
  }
  return drawing;
}

std::vector<NamedDrawing> GeneratedDrawings() {
  return {
      {"scribble1", GeneratedDrawing(DrawingKind::kScribble, 1)},
      {"scribble2", GeneratedDrawing(DrawingKind::kScribble, 2)},
      {"scribble3", GeneratedDrawing(DrawingKind::kScribble, 3)},
      {"zigzag1", GeneratedDrawing(DrawingKind::kZigzag, 1)},
      {"zigzag2", GeneratedDrawing(DrawingKind::kZigzag, 2)},
      {"lines1", GeneratedDrawing(DrawingKind::kLongLines, 1)},
      {"lines2", GeneratedDrawing(DrawingKind::kLongLines, 2)},
      {"dots1", GeneratedDrawing(DrawingKind::kDots, 1)},
      {"dots2", GeneratedDrawing(DrawingKind::kDots, 2)},
      {"outside1", GeneratedDrawing(DrawingKind::kOutside, 1)},
      {"outside2", GeneratedDrawing(DrawingKind::kOutside, 2)},
      {"thousands", GeneratedDrawing(DrawingKind::kThousands, 1)},
  };
}

}  // namespace inkstream::testing

// A hand that draws: ideal shapes in, strokes with a person's wobble out.
//
// Shapes are given in a unit square, y downwards; they may reach beyond it.
// Thread safety: one object a thread (it keeps its memory from drawing to
// drawing).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "server/ingest/generate/keyed_random.h"

namespace inkstream::ingest {

struct Point {
  double x = 0;
  double y = 0;
};

class Pen {
 public:
  // Begins a new drawing. `care` scales every imprecision: 1 is usual, 2 is
  // sloppy.
  void Begin(KeyedRandom* random, double care);

  // One stroke along straight lines.
  void Line(absl::Span<const Point> corners);
  // Closed; started at any corner, in either direction, now and then side by
  // side.
  void Polygon(absl::Span<const Point> corners);
  // One stroke on a smooth curve through every point.
  void Curve(absl::Span<const Point> through);
  // A whole turn; the ends overlap or leave a gap, as they do by hand.
  void Ellipse(Point center, double radius_x, double radius_y);
  // Degrees; 0 points right and 90 down.
  void Arc(Point center, double radius_x, double radius_y, double from,
           double to);
  // A dot, or a tiny ring.
  void Dot(Point at, double radius);

  KeyedRandom& random() { return *random_; }

  // What was drawn: in stroke order, as it left the hand.
  size_t strokes() const { return ends_.size(); }
  absl::Span<const Point> stroke(size_t s) const;

 private:
  Point Slip(Point ideal, double amount);
  void Advance(Point to, bool curved);
  void Lift();

  KeyedRandom* random_ = nullptr;
  double tremor_ = 0;         // deviation of a line from its ideal
  double slip_ = 0;           // deviation of a corner
  std::vector<Point> path_;   // the stroke in hand, ideal
  std::vector<Point> knots_;  // of the curve in hand, ends doubled
  std::vector<Point> points_;
  std::vector<uint32_t> ends_;
};

}  // namespace inkstream::ingest

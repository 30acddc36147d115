#include "server/ingest/generate/stroke_thinner.h"

namespace inkstream::ingest {

void StrokeThinner::Thin(absl::Span<const Point> stroke, double epsilon,
                         std::vector<Point>* kept) {
  keep_.assign(stroke.size(), 0);
  keep_.front() = 1;
  keep_.back() = 1;
  open_.assign(1, {0, stroke.size() - 1});
  while (!open_.empty()) {
    const auto [first, last] = open_.back();
    open_.pop_back();
    const Point a = stroke[first];
    const double bx = stroke[last].x - a.x, by = stroke[last].y - a.y;
    const double squared = bx * bx + by * by;
    // Distances are compared squared and scaled by the chord, which spares a
    // root and a division a point; a closed run has no chord.
    double farthest = 0;
    size_t split = first;
    for (size_t i = first + 1; i < last; ++i) {
      const double px = stroke[i].x - a.x, py = stroke[i].y - a.y;
      const double cross = bx * py - by * px;
      const double distance = squared > 0 ? cross * cross : px * px + py * py;
      if (distance > farthest) {
        farthest = distance;
        split = i;
      }
    }
    const double limit = epsilon * epsilon * (squared > 0 ? squared : 1);
    if (farthest > limit) {
      keep_[split] = 1;
      open_.emplace_back(first, split);
      open_.emplace_back(split, last);
    }
  }
  for (size_t i = 0; i < stroke.size(); ++i) {
    if (keep_[i] != 0) kept->push_back(stroke[i]);
  }
}

}  // namespace inkstream::ingest

// Each expression below is written in the operand order that decides ties as
// Google's code did; build without floating-point contraction.

#include "server/ingest/formats/official_simplifier.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace inkstream::ingest {
namespace {

constexpr double kSide = 255.0;
constexpr double kSpacing = 1.0;
constexpr double kEpsilon = 2.0;

}  // namespace

absl::Status OfficialSimplifier::Simplify(
    absl::Span<const uint32_t> stroke_ends, absl::Span<const double> x,
    absl::Span<const double> y, Drawing* drawing) {
  drawing->stroke_ends.clear();
  drawing->x.clear();
  drawing->y.clear();
  drawing->t.clear();
  if (x.empty() || x.size() != y.size() || stroke_ends.empty() ||
      stroke_ends.back() != x.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a raw drawing needs strokes of equally many x and y; got ", x.size(),
        " x and ", y.size(), " y"));
  }
  double min_x = x[0], max_x = x[0], min_y = y[0], max_y = y[0];
  for (size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("point ", i, " is not finite"));
    }
    min_x = std::min(min_x, x[i]);
    max_x = std::max(max_x, x[i]);
    min_y = std::min(min_y, y[i]);
    max_y = std::max(max_y, y[i]);
  }
  double range = std::max(max_x - min_x, max_y - min_y);
  if (!std::isfinite(range)) {
    return absl::InvalidArgumentError("the drawing's extent overflows");
  }
  if (!(range > 0)) range = kSide;  // a single dot stays at the origin

  distances_ = 0;
  size_t begin = 0;
  for (const uint32_t end : stroke_ends) {
    if (end <= begin || end > x.size()) {
      return absl::InvalidArgumentError("a stroke has no points");
    }
    scaled_x_.clear();
    scaled_y_.clear();
    for (size_t i = begin; i < end; ++i) {
      scaled_x_.push_back((x[i] - min_x) * kSide / range);
      scaled_y_.push_back((y[i] - min_y) * kSide / range);
    }
    begin = end;
    if (absl::Status status = Resample(); !status.ok()) return status;
    if (absl::Status status = MarkKept(); !status.ok()) return status;
    for (size_t i = 0; i < dense_x_.size(); ++i) {
      if (kept_[i] == 0) continue;
      // Half to even, as the current rounding mode is.
      drawing->x.push_back(static_cast<float>(std::nearbyint(dense_x_[i])));
      drawing->y.push_back(static_cast<float>(std::nearbyint(dense_y_[i])));
    }
    drawing->stroke_ends.push_back(static_cast<uint32_t>(drawing->x.size()));
  }
  return absl::OkStatus();
}

// Samples at arc lengths 0, 1, 2, ... and the stroke's own last point.
absl::Status OfficialSimplifier::Resample() {
  dense_x_.assign(1, scaled_x_[0]);
  dense_y_.assign(1, scaled_y_[0]);
  double travelled = 0;  // arc length at the segment's start
  double next = kSpacing;
  for (size_t i = 1; i < scaled_x_.size(); ++i) {
    const double ax = scaled_x_[i - 1], ay = scaled_y_[i - 1];
    const double bx = scaled_x_[i], by = scaled_y_[i];
    const double dx = bx - ax, dy = by - ay;
    const double length = std::sqrt(dx * dx + dy * dy);
    const double reached = travelled + length;
    while (length > 0 && next <= reached) {
      const double t = (next - travelled) / length;
      dense_x_.push_back((1 - t) * ax + t * bx);
      dense_y_.push_back((1 - t) * ay + t * by);
      next += kSpacing;
      if (dense_x_.size() > kMaxResampled) {
        return absl::InvalidArgumentError(
            absl::StrCat("a stroke is longer than ", kMaxResampled, " pixels"));
      }
    }
    travelled = reached;
  }
  dense_x_.push_back(scaled_x_.back());
  dense_y_.push_back(scaled_y_.back());
  return absl::OkStatus();
}

// Ramer-Douglas-Peucker over the distance from the infinite line; the first of
// equal distances wins.
absl::Status OfficialSimplifier::MarkKept() {
  kept_.assign(dense_x_.size(), 0);
  kept_.front() = 1;
  kept_.back() = 1;
  open_.assign(1, {0, dense_x_.size() - 1});
  while (!open_.empty()) {
    const auto [first, last] = open_.back();
    open_.pop_back();
    distances_ += last - first;
    if (distances_ > kMaxDistances) {
      return absl::InvalidArgumentError(absl::StrCat(
          "drawing: its strokes are too long and winding to be simplified: "
          "over the limit of ",
          kMaxDistances, " distances; --keep raw takes it as it is"));
    }
    const double ax = dense_x_[first], ay = dense_y_[first];
    const double bx = dense_x_[last] - ax, by = dense_y_[last] - ay;
    const double squared = bx * bx + by * by;
    const double length = std::sqrt(squared);
    double farthest = -1;
    size_t split = first;
    for (size_t i = first + 1; i < last; ++i) {
      const double px = dense_x_[i] - ax, py = dense_y_[i] - ay;
      const double distance = squared == 0
                                  ? std::hypot(px, py)
                                  : std::fabs(bx * py - by * px) / length;
      if (distance > farthest) {
        farthest = distance;
        split = i;
      }
    }
    if (farthest > kEpsilon) {
      kept_[split] = 1;
      open_.emplace_back(split, last);
      open_.emplace_back(first, split);
    }
  }
  return absl::OkStatus();
}

}  // namespace inkstream::ingest

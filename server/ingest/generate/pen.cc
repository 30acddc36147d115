// A stroke is first walked in short steps along its ideal path; Lift() then
// pushes every point aside by a smooth random curve along the arc length.

#include "server/ingest/generate/pen.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace inkstream::ingest {
namespace {

constexpr double kStep = 0.035;  // between points of the ideal path
constexpr double kKnot = 0.16;   // arc length between independent wobbles
constexpr double kRadians = std::numbers::pi / 180;

double Distance(Point a, Point b) {
  return std::sqrt((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y));
}

Point Between(Point a, Point b, double t) {
  return {a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t};
}

}  // namespace

void Pen::Begin(KeyedRandom* random, double care) {
  random_ = random;
  tremor_ = random->Between(0.003, 0.011) * care;
  slip_ = random->Between(0.006, 0.018) * care;
  path_.clear();
  points_.clear();
  ends_.clear();
}

absl::Span<const Point> Pen::stroke(size_t s) const {
  const size_t begin = s == 0 ? 0 : ends_[s - 1];
  return absl::MakeConstSpan(points_).subspan(begin, ends_[s] - begin);
}

Point Pen::Slip(Point ideal, double amount) {
  return {ideal.x + random_->Bell() * amount,
          ideal.y + random_->Bell() * amount};
}

void Pen::Advance(Point to, bool curved) {
  if (!curved && !path_.empty()) {
    const Point from = path_.back();
    const int steps = static_cast<int>(Distance(from, to) / kStep);
    for (int i = 1; i <= steps; ++i) {
      path_.push_back(Between(from, to, i / (steps + 1.0)));
    }
  }
  path_.push_back(to);
}

void Pen::Lift() {
  Point low = {random_->Bell(), random_->Bell()};
  Point high = {random_->Bell(), random_->Bell()};
  double along = random_->Unit() * kKnot;
  for (size_t i = 0; i < path_.size(); ++i) {
    if (i > 0) along += Distance(path_[i - 1], path_[i]);
    while (along >= kKnot) {
      along -= kKnot;
      low = high;
      high = {random_->Bell(), random_->Bell()};
    }
    const double t = along / kKnot;
    const Point aside = Between(low, high, t * t * (3 - 2 * t));
    points_.push_back(
        {path_[i].x + aside.x * tremor_, path_[i].y + aside.y * tremor_});
  }
  path_.clear();
  ends_.push_back(static_cast<uint32_t>(points_.size()));
}

void Pen::Line(absl::Span<const Point> corners) {
  for (const Point corner : corners) Advance(Slip(corner, slip_), false);
  if (random_->Chance(0.3)) std::reverse(path_.begin(), path_.end());
  Lift();
}

void Pen::Polygon(absl::Span<const Point> corners) {
  const size_t count = corners.size();
  const size_t start = random_->Below(static_cast<uint32_t>(count));
  const size_t step = random_->Chance(0.5) ? 1 : count - 1;
  const bool side_by_side = count <= 4 && random_->Chance(0.2);
  for (size_t i = 0; i <= count; ++i) {
    const Point corner = corners[(start + i * step) % count];
    if (side_by_side && i > 0) {
      Advance(Slip(corner, slip_), false);
      Lift();
      if (i == count) return;
    }
    Advance(Slip(corner, slip_), false);
  }
  Lift();
}

void Pen::Curve(absl::Span<const Point> through) {
  std::vector<Point>& knots = knots_;
  knots.assign(1, {});
  for (const Point point : through) knots.push_back(Slip(point, slip_ * 0.7));
  knots.front() = knots[1];
  knots.emplace_back(knots.back());
  Advance(knots[1], true);
  for (size_t k = 1; k + 2 < knots.size(); ++k) {
    const Point a = knots[k - 1], b = knots[k], c = knots[k + 1],
                d = knots[k + 2];
    const int steps = 1 + static_cast<int>(Distance(b, c) / kStep);
    for (int i = 1; i <= steps; ++i) {
      const double t = static_cast<double>(i) / steps;
      const double t2 = t * t, t3 = t2 * t;
      // Catmull-Rom.
      const auto blend = [&](double p, double q, double r, double s) {
        return 0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t2 +
                      (3 * q - p - 3 * r + s) * t3);
      };
      Advance({blend(a.x, b.x, c.x, d.x), blend(a.y, b.y, c.y, d.y)}, true);
    }
  }
  if (random_->Chance(0.3)) std::reverse(path_.begin(), path_.end());
  Lift();
}

void Pen::Ellipse(Point center, double radius_x, double radius_y) {
  const double start = random_->Between(0, 360);
  const double turn = 360 + random_->Bell() * 10;
  const double stretch = 1 + random_->Bell() * slip_ * 3;
  const bool clockwise = random_->Chance(0.4);
  Arc(Slip(center, slip_ * 0.5), radius_x * stretch, radius_y / stretch, start,
      clockwise ? start + turn : start - turn);
}

void Pen::Arc(Point center, double radius_x, double radius_y, double from,
              double to) {
  const double radius = std::max(radius_x, radius_y);
  const double sweep = (to - from) * kRadians;
  const int steps =
      std::max(6, static_cast<int>(std::fabs(sweep) * radius / kStep));
  const double cos_step = std::cos(sweep / steps);
  const double sin_step = std::sin(sweep / steps);
  double cosine = std::cos(from * kRadians);
  double sine = std::sin(from * kRadians);
  for (int i = 0; i <= steps; ++i) {
    Advance({center.x + radius_x * cosine, center.y + radius_y * sine}, true);
    const double next = cosine * cos_step - sine * sin_step;
    sine = sine * cos_step + cosine * sin_step;
    cosine = next;
  }
  Lift();
}

void Pen::Dot(Point at, double radius) {
  const Point center = Slip(at, slip_ * 0.5);
  if (radius > 0.012 && random_->Chance(0.7)) {
    Arc(center, radius, radius, 0, random_->Chance(0.5) ? 360 : -360);
    return;
  }
  Advance(center, true);
  Advance({center.x + 0.008, center.y + 0.004}, true);
  Lift();
}

}  // namespace inkstream::ingest

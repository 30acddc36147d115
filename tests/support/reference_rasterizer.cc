#include "tests/support/reference_rasterizer.h"

#include <algorithm>
#include <cmath>

namespace inkstream::testing {
namespace {

constexpr int kSamples = 16;

struct Point {
  double x;
  double y;
};

std::vector<Point> Placed(const ImageSpec& spec, const StrokesView& strokes,
                          double unit) {
  std::vector<Point> points;
  if (strokes.points() == 0) return points;
  const auto [low_x, high_x] =
      std::minmax_element(strokes.x.begin(), strokes.x.end());
  const auto [low_y, high_y] =
      std::minmax_element(strokes.y.begin(), strokes.y.end());
  double scale_x = unit;
  double scale_y = unit;
  Point middle{0.5 * *high_x, 0.5 * *high_y};
  if (spec.fit != Fit::kCanvas) {
    const double margin = unit * (2.0 * spec.padding + spec.line_width);
    const double extent_x = *high_x - *low_x;
    const double extent_y = *high_y - *low_y;
    const double fill_x = extent_x > 0 ? (spec.width - margin) / extent_x : 0;
    const double fill_y = extent_y > 0 ? (spec.height - margin) / extent_y : 0;
    scale_x = fill_x > 0 ? fill_x : fill_y > 0 ? fill_y : unit;
    scale_y = fill_y > 0 ? fill_y : scale_x;
    if (spec.fit == Fit::kBox) scale_x = scale_y = std::min(scale_x, scale_y);
    middle = {0.5 * (*low_x + *high_x), 0.5 * (*low_y + *high_y)};
  }
  for (size_t i = 0; i < strokes.points(); ++i) {
    points.push_back({0.5 * spec.width + scale_x * (strokes.x[i] - middle.x),
                      0.5 * spec.height + scale_y * (strokes.y[i] - middle.y)});
  }
  return points;
}

double Distance(Point p, Point a, Point b) {
  const double dx = b.x - a.x;
  const double dy = b.y - a.y;
  const double square = dx * dx + dy * dy;
  double t = 0.0;
  if (square > 0.0) {
    t = std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / square, 0.0, 1.0);
  }
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

}  // namespace

std::vector<uint8_t> ReferenceRaster(const ImageSpec& spec,
                                     const StrokesView& strokes) {
  const double unit =
      std::min(spec.height, spec.width) /
      (256.0 + 2.0 * spec.padding + static_cast<double>(spec.line_width));
  const double radius = 0.5 * spec.line_width * unit;
  const std::vector<Point> points = Placed(spec, strokes, unit);
  std::vector<double> image(size_t{spec.height} * spec.width, 0.0);
  std::vector<uint8_t> inside(kSamples * kSamples);
  for (size_t s = 0; s < strokes.strokes(); ++s) {
    const size_t begin = strokes.begin(s);
    const size_t end = strokes.end(s);
    for (uint32_t y = 0; y < spec.height; ++y) {
      for (uint32_t x = 0; x < spec.width; ++x) {
        const Point centre{x + 0.5, y + 0.5};
        bool all = false;
        std::fill(inside.begin(), inside.end(), 0);
        for (size_t i = begin; i < end && !all; ++i) {
          const size_t next = std::min(i + 1, end - 1);
          const double d = Distance(centre, points[i], points[next]);
          if (d > radius + 0.75) continue;
          all = d < radius - 0.75;
          for (int k = 0; k < kSamples * kSamples && !all; ++k) {
            const Point sample{x + (k % kSamples + 0.5) / kSamples,
                               y + (k / kSamples + 0.5) / kSamples};
            if (Distance(sample, points[i], points[next]) <= radius) {
              inside[k] = 1;
            }
          }
        }
        const double cover = all ? 1.0
                                 : static_cast<double>(std::count(
                                       inside.begin(), inside.end(), 1)) /
                                       (kSamples * kSamples);
        double& ink = image[size_t{y} * spec.width + x];
        ink = cover + ink * (1.0 - cover);
      }
    }
  }
  std::vector<uint8_t> out;
  for (const double ink : image) {
    out.push_back(static_cast<uint8_t>(255.0 * ink + 0.5));
  }
  return out;
}

}  // namespace inkstream::testing

#include "server/raster/draw/segment_clip.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace inkstream::raster {

bool ClipToBox(const ClipBox& box, std::array<double, 2>& a,
               std::array<double, 2>& b) {
  if (!std::isfinite(a[0]) || !std::isfinite(a[1]) || !std::isfinite(b[0]) ||
      !std::isfinite(b[1])) {
    return false;
  }
  double begin = 0.0;
  double end = 1.0;
  for (size_t axis = 0; axis < 2; ++axis) {
    const double d = b[axis] - a[axis];
    if (d == 0.0) {
      if (a[axis] < box.low[axis] || a[axis] > box.high[axis]) return false;
      continue;
    }
    double t0 = (box.low[axis] - a[axis]) / d;
    double t1 = (box.high[axis] - a[axis]) / d;
    if (t0 > t1) std::swap(t0, t1);
    begin = std::max(begin, t0);
    end = std::min(end, t1);
    if (begin > end) return false;
  }
  const std::array<double, 2> from = a;
  for (size_t axis = 0; axis < 2; ++axis) {
    const double d = b[axis] - from[axis];
    a[axis] = from[axis] + begin * d;
    b[axis] = from[axis] + end * d;
  }
  return true;
}

}  // namespace inkstream::raster

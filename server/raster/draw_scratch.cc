#include <algorithm>
#include <cmath>

#include "server/raster/draw_kernel.h"

namespace inkstream::raster {
namespace {

// Whole vectors are read and written past the last point.
constexpr size_t kSlack = 64;

template <class T>
T *Aligned(T *p) {
  return p + (64 - reinterpret_cast<uintptr_t>(p) % 64) % 64 / sizeof(T);
}

}  // namespace

void DrawScratch::Fit(const CapsulePlan &plan, size_t layers,
                      size_t value_planes) {
  plane_bytes = ((plan.rows + 1) / 2 + 1) * size_t{2} * plan.pitch;
  image_bytes = size_t{plan.height} * plan.image_pitch;
  // Those that are kept are all zero, but for values, which mean nothing.
  const auto grow = [](std::vector<uint8_t> &memory, size_t bytes) {
    if (memory.size() < bytes + 2 * 64) memory.assign(bytes + 2 * 64, 0);
    return Aligned(memory.data());
  };
  cover = grow(cover_, plane_bytes);
  values = grow(values_, value_planes * plane_bytes);
  image = grow(images_, layers * image_bytes);
  Reserve(256);
}

void DrawScratch::Reserve(size_t points) {
  if (points <= capacity_) return;
  capacity_ = std::max(points, 2 * capacity_);
  const size_t stride = capacity_ + 2 * kSlack;
  points_.assign(4 * stride, 0.0F);
  segments_.assign(kSegmentColumns * stride + 16, 0);
  groups = Aligned(segments_.data());
  // The slack in front is for the neighbour of the first point.
  ax = points_.data() + kSlack;
  ay = ax + stride;
  bx = ay + stride;
  by = bx + stride;
}

void ClipSegment(const CapsulePlan &plan, float &ax, float &ay, float &bx,
                 float &by) {
  const double margin = static_cast<double>(plan.radius) + 4.0;
  const double low = -margin;
  const double high_x = plan.columns + margin;
  const double high_y = plan.rows + margin;
  const double from[2] = {ax, ay};
  const double to[2] = {bx, by};
  const double high[2] = {high_x, high_y};
  double begin = 0.0;
  double end = 1.0;
  bool seen = std::isfinite(ax) && std::isfinite(ay) && std::isfinite(bx) &&
              std::isfinite(by);
  for (int axis = 0; axis < 2 && seen; ++axis) {
    const double d = to[axis] - from[axis];
    if (d == 0.0) {
      seen = from[axis] >= low && from[axis] <= high[axis];
      continue;
    }
    double t0 = (low - from[axis]) / d;
    double t1 = (high[axis] - from[axis]) / d;
    if (t0 > t1) std::swap(t0, t1);
    begin = std::max(begin, t0);
    end = std::min(end, t1);
    seen = begin <= end;
  }
  if (!seen) {
    ax = bx = ay = by = -4000.0F;
    return;
  }
  ax = static_cast<float>(from[0] + begin * (to[0] - from[0]));
  ay = static_cast<float>(from[1] + begin * (to[1] - from[1]));
  bx = static_cast<float>(from[0] + end * (to[0] - from[0]));
  by = static_cast<float>(from[1] + end * (to[1] - from[1]));
}

}  // namespace inkstream::raster

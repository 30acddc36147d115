#include <algorithm>
#include <array>

#include "server/raster/draw/draw_kernel.h"
#include "server/raster/draw/segment_clip.h"

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
  // Plans of one spec differ in nothing else that counts here.
  if (samples_ == plan.samples) return;
  plane_bytes = ((plan.rows + 1) / 2 + kRun) * size_t{2} * plan.pitch;
  image_bytes = size_t{plan.height} * plan.image_pitch;
  // What is kept is all zero, but for values, which mean nothing, and for
  // coverage outside of the grid.
  const auto grow = [](std::vector<uint8_t> &memory, size_t bytes) {
    if (memory.size() < bytes + 2 * 64) memory.assign(bytes + 2 * 64, 0);
    return Aligned(memory.data());
  };
  std::fill(cover_.begin(), cover_.end(), 0);
  samples_ = plan.samples;
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
  const ClipBox box{{-margin, -margin},
                    {plan.columns + margin, plan.rows + margin}};
  std::array<double, 2> a{ax, ay};
  std::array<double, 2> b{bx, by};
  if (!ClipToBox(box, a, b)) {
    ax = bx = ay = by = -4000.0F;
    return;
  }
  ax = static_cast<float>(a[0]);
  ay = static_cast<float>(a[1]);
  bx = static_cast<float>(b[0]);
  by = static_cast<float>(b[1]);
}

}  // namespace inkstream::raster

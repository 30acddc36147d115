// A pixel's coverage by a long line of half width r whose axis passes at
// distance d is F(r - d) + F(r + d) - 1, F(t) being the part of the unit pixel
// on the inner side of an edge at signed distance t. That is exact for
// straight lines of any width, also thinner than a pixel.
//
// Only additions, products, quotients and square roots are used, which IEEE
// 754 rounds the same everywhere: the tables are equal on every machine.
#include "server/raster/draw/capsule_plan.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "server/raster/draw/frame.h"
#include "server/raster/tensor/image_spec_check.h"

namespace inkstream::raster {
namespace {

// Where one sample a pixel would show where segments meet: small images, and
// lines thinner than about two pixels.
constexpr uint32_t kSupersampledSide = 40;
constexpr double kSupersampledRadius = 1.25;

// Pixels by which Cairo's polygons lie inside a cap, and the largest factor
// that the lanes' 16 bits have room for.
constexpr double kPolygonLoss = 0.04;
constexpr double kMostStretch = 1.06;

// Area of the unit square on the inner side of an edge whose normal is
// (sin, cos), sin <= cos, at distance t from the centre.
double EdgeArea(double t, double sin, double cos) {
  const double reach = 0.5 * (cos + sin);
  const double flat = 0.5 * (cos - sin);
  const double a = std::abs(t);
  double area;
  if (a >= reach) {
    area = 1.0;
  } else if (a <= flat || sin == 0.0) {
    area = 0.5 + a / cos;
  } else {
    area = 1.0 - (reach - a) * (reach - a) / (2.0 * sin * cos);
  }
  return t < 0.0 ? 1.0 - area : area;
}

// Bits of a float32's mantissa below the sixth.
constexpr uint32_t kDroppedBits = 17;

}  // namespace

CapsulePlan MakeCapsulePlan(const ImageSpec& spec, float line_width) {
  CapsulePlan plan;
  plan.height = spec.height;
  plan.width = spec.width;
  const double pixel_radius = 0.5 * static_cast<double>(line_width) *
                              static_cast<double>(CanvasScale(spec));
  plan.samples = std::min(spec.height, spec.width) <= kSupersampledSide ||
                         pixel_radius < kSupersampledRadius
                     ? 2
                     : 1;
  plan.rows = spec.height * plan.samples;
  plan.columns = spec.width * plan.samples;
  plan.image_pitch =
      (plan.width + kRowAlignment - 1) / kRowAlignment * kRowAlignment;
  plan.pitch =
      std::max(plan.columns + kBlockColumns, plan.image_pitch * plan.samples) /
          32 * 32 +
      32;

  const double radius = pixel_radius * plan.samples;
  plan.radius = static_cast<float>(radius);
  // Nearly all short segments are this high or a little less: empty rows cost
  // less than a loop whose length cannot be foreseen.
  plan.least_run = std::clamp(
      2 * static_cast<int32_t>(std::floor((2.0 * radius + 4.0) / 4.0 + 1.0)), 2,
      6);

  // The ramp from full to no coverage lies within half a pixel's diagonal of
  // the edge; its squared distances fill the table where 16 bits allow.
  const double diagonal = 0.5 * std::sqrt(2.0);
  const double outer = radius + diagonal;
  const double inner = std::max(0.0, radius - diagonal);
  const double ramp = outer * outer - inner * inner;
  // Cairo draws caps and joins as polygons inside the circle; so do Google's
  // bitmaps. Lengths beyond a segment's end are stretched by as much as makes
  // up for it on average; 28x28 is 0.08 levels closer for it.
  const double stretch =
      std::min(kMostStretch, 1.0 + kPolygonLoss * plan.samples / radius);
  // Along a segment, a lane is at most its half length (cut to 10.75), the
  // reach, half a block (8.5), its own offset (7.6) and 2 for rounding away
  // from the middle.
  const double most = 32700.0 / (kMostStretch * (outer + 29.0));
  const double fill = std::sqrt((kCoverEntries - 1) * 32768.0 / ramp);
  const double scale = std::floor(std::min(most, fill));
  plan.scale = static_cast<float>(scale);
  plan.half_length_limit = static_cast<int32_t>(10.75 * scale);
  plan.stretch = static_cast<float>(stretch);
  plan.stretch_fixed = static_cast<int32_t>(std::floor(stretch * 4096.0 + 0.5));
  for (int i = 0; i < kBlockLanes; ++i) {
    const int x = (2 * (i / kBlockRows) - (kBlockColumns - 1)) * 2048;
    const int y = (2 * (i % kBlockRows) - (kBlockRows - 1)) * 2048;
    plan.lane_x[i] = static_cast<int16_t>(x);
    plan.lane_y[i] = static_cast<int16_t>(y);
    plan.stretched_lane_x[i] =
        static_cast<int16_t>(std::floor(x * stretch + 0.5));
    plan.stretched_lane_y[i] =
        static_cast<int16_t>(std::floor(y * stretch + 0.5));
  }
  const double unit = scale * scale / 32768.0;
  plan.inner = static_cast<uint16_t>(std::floor(inner * inner * unit));

  const double max_sin = 0.5 * std::sqrt(2.0);
  for (int k = 0; k < kDirections; ++k) {
    const double sin = max_sin * (k + 0.5) / kDirections;
    const double cos = std::sqrt(1.0 - sin * sin);
    for (int i = 0; i + 1 < kCoverEntries; ++i) {
      const double d = std::sqrt((plan.inner + i) / unit);
      const double cover =
          EdgeArea(radius - d, sin, cos) + EdgeArea(radius + d, sin, cos) - 1.0;
      plan.cover[k][i] = static_cast<uint8_t>(
          std::floor(255.0 * std::clamp(cover, 0.0, 1.0) + 0.5));
    }
    for (int i = 0; i < kCoverEntries; ++i) {
      plan.cover_steps[k][i] = static_cast<uint8_t>(
          plan.cover[k][i] ^ (i < 16 ? 0 : plan.cover[k][i - 16]));
    }
  }
  return plan;
}

PlanCache::PlanCache(const ImageSpec& spec)
    : spec_(spec), plain_(MakeCapsulePlan(spec, spec.line_width)) {}

const CapsulePlan& PlanCache::PlanOf(float factor) {
  // Neither zero, negative nor not a number is a width: all draw hairlines.
  if (!(factor > 1.0F / 1024.0F)) factor = 1.0F / 1024.0F;
  factor = std::min(factor, 1024.0F);
  const uint32_t step =
      (std::bit_cast<uint32_t>(factor) + (1U << (kDroppedBits - 1))) >>
      kDroppedBits;
  const float rounded = std::bit_cast<float>(step << kDroppedBits);
  if (rounded == 1.0F) return plain_;
  std::unique_ptr<Slot>& slot = slots_[step % kSlots];
  if (slot == nullptr) slot = std::make_unique<Slot>();
  if (slot->step != step) {
    slot->step = step;
    slot->plan = MakeCapsulePlan(
        spec_, std::min(spec_.line_width * rounded, kMaxLineWidth));
  }
  return slot->plan;
}

}  // namespace inkstream::raster

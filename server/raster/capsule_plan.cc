// A pixel's coverage by a long line of half width r whose axis passes at
// distance d is F(r - d) + F(r + d) - 1, F(t) being the part of the unit pixel
// on the inner side of an edge at signed distance t. That is exact for
// straight lines of any width, also thinner than a pixel.
//
// Only additions, products, quotients and square roots are used, which IEEE
// 754 rounds the same everywhere: the tables are equal on every machine.
#include "server/raster/capsule_plan.h"

#include <algorithm>
#include <cmath>

#include "server/raster/frame.h"

namespace inkstream::raster {
namespace {

// Below this many pixels, one sample a pixel shows where segments meet.
constexpr uint32_t kSupersampledSide = 40;

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

}  // namespace

CapsulePlan MakeCapsulePlan(const ImageSpec& spec) {
  CapsulePlan plan;
  plan.height = spec.height;
  plan.width = spec.width;
  plan.samples = std::min(spec.height, spec.width) <= kSupersampledSide ? 2 : 1;
  plan.rows = spec.height * plan.samples;
  plan.columns = spec.width * plan.samples;
  plan.pitch = (plan.columns + kBlockColumns + 63) / 32 * 32;

  const double radius = 0.5 * static_cast<double>(spec.line_width) *
                        static_cast<double>(CanvasScale(spec)) * plan.samples;
  plan.radius = static_cast<float>(radius);

  // The ramp from full to no coverage lies within half a pixel's diagonal of
  // the edge; its squared distances fill the table where 16 bits allow.
  const double diagonal = 0.5 * std::sqrt(2.0);
  const double outer = radius + diagonal;
  const double inner = std::max(0.0, radius - diagonal);
  const double ramp = outer * outer - inner * inner;
  // A block that touches the capsule has its middle at most 8.5 samples away
  // from it and 2 for rounding; the half length adds 8.
  const double most = 32000.0 / (outer + 18.5);
  const double fill = std::sqrt((kCoverEntries - 1) * 32768.0 / ramp);
  const double scale = std::floor(std::min(most, fill));
  plan.scale = static_cast<float>(scale);
  plan.half_length_limit = static_cast<int32_t>(8.0 * scale);
  plan.position_limit = static_cast<int32_t>(32766.0 - 8.0 * scale);
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

}  // namespace inkstream::raster

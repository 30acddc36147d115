#include "server/raster/augment/augment_spec_check.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace inkstream::raster {
namespace {

absl::Status CheckRange(const char* field, Range range, float low, float high) {
  if (std::isfinite(range.low) && std::isfinite(range.high) &&
      range.low <= range.high && range.low >= low && range.high <= high) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "augment.", field, " is [", range.low, ", ", range.high,
      "]; it must be an ascending range within [", low, ", ", high, "]"));
}

absl::Status CheckProbability(const char* field, float p) {
  if (p >= 0 && p <= 1) return absl::OkStatus();  // false for NaN
  return absl::InvalidArgumentError(absl::StrCat(
      "augment.", field, " is ", p, "; it must be a probability, 0 to 1"));
}

}  // namespace

absl::Status CheckAugmentSpec(const AugmentSpec& spec) {
  const absl::Status checks[] = {
      CheckRange("rotation", spec.rotation, -360, 360),
      CheckRange("scale", spec.scale, 0.01F, 100),
      CheckRange("scale_x", spec.scale_x, 0.01F, 100),
      CheckRange("scale_y", spec.scale_y, 0.01F, 100),
      CheckRange("shear", spec.shear, -10, 10),
      CheckRange("translate_x", spec.translate_x, -1024, 1024),
      CheckRange("translate_y", spec.translate_y, -1024, 1024),
      CheckRange("line_width", spec.line_width, 0.01F, 100),
      CheckRange("jitter", {spec.jitter, spec.jitter}, 0, 256),
      CheckProbability("flip_x", spec.flip_x),
      CheckProbability("flip_y", spec.flip_y),
      CheckProbability("stroke_dropout", spec.stroke_dropout),
      CheckProbability("stroke_reorder", spec.stroke_reorder),
      CheckProbability("point_dropout", spec.point_dropout),
  };
  for (const absl::Status& check : checks) {
    if (!check.ok()) return check;
  }
  return absl::OkStatus();
}

}  // namespace inkstream::raster

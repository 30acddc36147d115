// Every random number has a counter of its own, fixed by what it decides, so
// that switching one change on leaves the others as they were. Trigonometry is
// done here, because library functions differ in their last bit between
// machines.

#include "server/raster/augmenter.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace inkstream::raster {
namespace {

enum Counter : uint64_t {
  kRotation = 0,
  kScale = 1,
  kScaleX = 2,
  kScaleY = 3,
  kShear = 4,
  kTranslateX = 5,
  kTranslateY = 6,
  kFlipX = 7,
  kFlipY = 8,
  kReorder = 9,
  kLineWidth = 10,
  kStrokeDropout = uint64_t{1} << 32U,  // + stroke
  kStrokeShuffle = uint64_t{2} << 32U,  // + place
  kPointDropout = uint64_t{3} << 32U,   // + point
  kJitter = uint64_t{4} << 32U,         // + point
};

// sin(r) for |r| <= pi/2 by its series, to about 1e-12.
double SineSeries(double r) {
  const double s = r * r;
  double sum = -1.0 / 1307674368000.0;
  sum = sum * s + 1.0 / 6227020800.0;
  sum = sum * s - 1.0 / 39916800.0;
  sum = sum * s + 1.0 / 362880.0;
  sum = sum * s - 1.0 / 5040.0;
  sum = sum * s + 1.0 / 120.0;
  sum = sum * s - 1.0 / 6.0;
  return r + r * (s * sum);
}

// Sine of an angle in degrees, |degrees| <= 810.
double SineDegrees(double degrees) {
  degrees -= 360.0 * std::floor((degrees + 180.0) / 360.0);  // [-180, 180)
  if (degrees > 90.0) degrees = 180.0 - degrees;
  if (degrees < -90.0) degrees = -180.0 - degrees;
  return SineSeries(degrees * (3.14159265358979323846 / 180.0));
}

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

// At least `points` floats, kept from drawing to drawing.
float* Room(size_t points, std::vector<float>* memory) {
  if (memory->size() < points) memory->resize(points);
  return memory->data();
}

float Draw(Range range, const CounterRandom& random, Counter counter) {
  return range.low == range.high
             ? range.low
             : random.Between(range.low, range.high, counter);
}

}  // namespace

absl::StatusOr<Augmenter> Augmenter::Create(const AugmentSpec& spec) {
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
  return Augmenter(spec);
}

StrokesView Augmenter::Apply(const StrokesView& strokes, const Bounds& bounds,
                             const AugmentKey& key) {
  const CounterRandom random(key.seed, key.epoch, key.index, key.occurrence,
                             key.view);
  line_width_factor_ = Draw(spec_.line_width, random, kLineWidth);
  if (strokes.points() == 0) return strokes;
  StrokesView kept = strokes;
  if (spec_.stroke_dropout > 0 || spec_.stroke_reorder > 0 ||
      spec_.point_dropout > 0) {
    SelectStrokes(strokes, random);
    CopyPoints(strokes, random);
    kept = {stroke_ends_, x_, y_, t_};
  }
  const bool moved = Transform(bounds, random, &kept);
  if (spec_.jitter > 0) Jitter(random, moved, &kept);
  return kept;
}

void Augmenter::SelectStrokes(const StrokesView& strokes,
                              const CounterRandom& random) {
  order_.clear();
  for (uint32_t s = 0; s < strokes.strokes(); ++s) {
    if (spec_.stroke_dropout > 0 &&
        random.Chance(spec_.stroke_dropout, kStrokeDropout + s)) {
      continue;
    }
    order_.push_back(s);
  }
  if (order_.empty()) {
    order_.push_back(static_cast<uint32_t>(
        random.Below(strokes.strokes(), kStrokeDropout + strokes.strokes())));
  }
  if (spec_.stroke_reorder > 0 &&
      random.Chance(spec_.stroke_reorder, kReorder)) {
    for (uint32_t i = static_cast<uint32_t>(order_.size()) - 1; i > 0; --i) {
      std::swap(order_[i], order_[random.Below(i + 1, kStrokeShuffle + i)]);
    }
  }
}

void Augmenter::CopyPoints(const StrokesView& strokes,
                           const CounterRandom& random) {
  stroke_ends_.clear();
  x_.clear();
  y_.clear();
  t_.clear();
  const bool timed = !strokes.t.empty();
  for (const uint32_t s : order_) {
    const size_t begin = strokes.begin(s);
    const size_t end = strokes.end(s);
    if (spec_.point_dropout > 0) {
      for (size_t i = begin; i < end; ++i) {
        const bool inner = i > begin && i + 1 < end;
        if (inner && random.Chance(spec_.point_dropout, kPointDropout + i)) {
          continue;
        }
        x_.push_back(strokes.x[i]);
        y_.push_back(strokes.y[i]);
        if (timed) t_.push_back(strokes.t[i]);
      }
    } else {
      x_.insert(x_.end(), strokes.x.begin() + begin, strokes.x.begin() + end);
      y_.insert(y_.end(), strokes.y.begin() + begin, strokes.y.begin() + end);
      if (timed) {
        t_.insert(t_.end(), strokes.t.begin() + begin, strokes.t.begin() + end);
      }
    }
    stroke_ends_.push_back(static_cast<uint32_t>(x_.size()));
  }
}

// About the centre of the whole drawing, also where strokes were left out: a
// missing stroke must not move the others.
bool Augmenter::Transform(const Bounds& bounds, const CounterRandom& random,
                          StrokesView* strokes) {
  const float scale = Draw(spec_.scale, random, kScale);
  float sx = scale * Draw(spec_.scale_x, random, kScaleX);
  float sy = scale * Draw(spec_.scale_y, random, kScaleY);
  if (spec_.flip_x > 0 && random.Chance(spec_.flip_x, kFlipX)) sx = -sx;
  if (spec_.flip_y > 0 && random.Chance(spec_.flip_y, kFlipY)) sy = -sy;
  const float shear = Draw(spec_.shear, random, kShear);
  const float degrees = Draw(spec_.rotation, random, kRotation);
  const float move_x = Draw(spec_.translate_x, random, kTranslateX);
  const float move_y = Draw(spec_.translate_y, random, kTranslateY);
  if (sx == 1 && sy == 1 && shear == 0 && degrees == 0 && move_x == 0 &&
      move_y == 0) {
    return false;
  }
  const float centre_x = (bounds.min_x + bounds.max_x) * 0.5F;
  const float centre_y = (bounds.min_y + bounds.max_y) * 0.5F;
  const auto sine = static_cast<float>(SineDegrees(degrees));
  const auto cosine = static_cast<float>(SineDegrees(degrees + 90.0));
  // rotation * shear * scale
  const float xx = cosine * sx;
  const float xy = (cosine * shear - sine) * sy;
  const float yx = sine * sx;
  const float yy = (sine * shear + cosine) * sy;
  const float to_x = centre_x + move_x;
  const float to_y = centre_y + move_y;
  const size_t points = strokes->points();
  const float* const from_x = strokes->x.data();
  const float* const from_y = strokes->y.data();
  float* const __restrict out_x = Room(points, &moved_x_);
  float* const __restrict out_y = Room(points, &moved_y_);
  for (size_t i = 0; i < points; ++i) {
    const float dx = from_x[i] - centre_x;
    const float dy = from_y[i] - centre_y;
    out_x[i] = (xx * dx + xy * dy) + to_x;
    out_y[i] = (yx * dx + yy * dy) + to_y;
  }
  strokes->x = {out_x, points};
  strokes->y = {out_y, points};
  return true;
}

// Sum of four uniform bytes a coordinate: close to normal, and integers only.
void Augmenter::Jitter(const CounterRandom& random, bool moved,
                       StrokesView* strokes) {
  // Four bytes have mean 510 and variance 4 * (256^2 - 1) / 12.
  const float unit = spec_.jitter * (1.0F / 147.80054F);
  const auto centred = [](uint32_t bytes) {
    const uint32_t pairs =
        (bytes & 0x00FF00FFU) + ((bytes >> 8U) & 0x00FF00FFU);
    return static_cast<float>(
        static_cast<int32_t>((pairs & 0xFFFFU) + (pairs >> 16U)) - 510);
  };
  const size_t points = strokes->points();
  float* const x = Room(points, &moved_x_);
  float* const y = Room(points, &moved_y_);
  if (!moved) {
    std::copy(strokes->x.begin(), strokes->x.end(), x);
    std::copy(strokes->y.begin(), strokes->y.end(), y);
  }
  for (size_t i = 0; i < points; ++i) {
    const uint64_t bits = random.Bits(kJitter + i);
    x[i] += unit * centred(static_cast<uint32_t>(bits));
    y[i] += unit * centred(static_cast<uint32_t>(bits >> 32U));
  }
  strokes->x = {x, points};
  strokes->y = {y, points};
}

}  // namespace inkstream::raster

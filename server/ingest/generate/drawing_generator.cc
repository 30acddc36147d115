#include "server/ingest/generate/drawing_generator.h"

#include <algorithm>
#include <cmath>

#include "server/ingest/generate/class_catalog.h"

namespace inkstream::ingest {
namespace {

constexpr double kSide = 255;
constexpr double kEpsilon = 2;
constexpr double kUnrecognized = 0.07;

// 16 digits throughout: 2^52 to 2^52 + 2^51 - 1, as in the published data.
constexpr uint64_t kFirstKey = uint64_t{1} << 52U;
constexpr uint64_t kKeyMask = (uint64_t{1} << 51U) - 1;
constexpr uint64_t kKeyStep = 0x5851F42D4C957F2DULL;  // odd: no key twice

// The weeks in which the published drawings were made.
constexpr int64_t kFirstSecond = 1485129600;  // 2017-01-23 00:00:00 UTC
constexpr uint32_t kSeconds = 64U * 86400U;

// A hundredth each, about as often as in the published data.
constexpr char kCountries[] =
    "USUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUSUS"
    "USUSUSUSUSUSUSUSGBGBGBGBGBGBGBGBCACACACACADEDEDEDEAUAUAUARURURUBRBRBRFRFR"
    "FRFIFISESESEPLPLITITJPJPKRKRTHTHCZCZHUHUSASAPHPHINIDVNESNLNOROSKTWHKAETR";
constexpr uint32_t kCountryCount = (sizeof(kCountries) - 1) / 2;

struct Bounds {
  Point low, high;
};

Bounds BoundsOf(const std::vector<Point>& points) {
  Bounds bounds = {points.front(), points.front()};
  for (const Point& point : points) {
    bounds.low.x = std::min(bounds.low.x, point.x);
    bounds.low.y = std::min(bounds.low.y, point.y);
    bounds.high.x = std::max(bounds.high.x, point.x);
    bounds.high.y = std::max(bounds.high.y, point.y);
  }
  return bounds;
}

// Moves to the origin and scales the larger side to 255.
void FitToCanvas(std::vector<Point>* points) {
  const Bounds bounds = BoundsOf(*points);
  const double side = std::max(
      {bounds.high.x - bounds.low.x, bounds.high.y - bounds.low.y, 1e-9});
  for (Point& point : *points) {
    point.x = (point.x - bounds.low.x) * (kSide / side);
    point.y = (point.y - bounds.low.y) * (kSide / side);
  }
}

}  // namespace

void DrawingGenerator::Generate(uint64_t index, Drawing* drawing) {
  drawing->Clear();
  KeyedRandom random(seed_, index);
  const DrawingClass& drawn = ClassCatalog()[index % classes_];
  const bool recognized = !random.Chance(kUnrecognized);
  drawing->word = drawn.word();
  const uint32_t country = random.Below(kCountryCount);
  drawing->countrycode.emplace(kCountries + 2 * size_t{country}, 2);
  // The published instants have five digits.
  drawing->timestamp =
      Timestamp{(kFirstSecond + random.Below(kSeconds)) * 1000000 +
                    int64_t{10} * random.Below(100000),
                0};
  drawing->recognized = recognized;
  drawing->key_id = static_cast<int64_t>(
      kFirstKey + ((index * kKeyStep + Mix(seed_)) & kKeyMask));

  pen_.Begin(&random,
             recognized ? random.Between(0.6, 1.4) : random.Between(1.6, 2.6));
  drawn.Draw(pen_);
  ChooseStrokes(&random, recognized);
  Transform(&random);
  Simplify(drawing);
}

// People forget a stroke, go over one again, and draw in their own order.
void DrawingGenerator::ChooseStrokes(KeyedRandom* random, bool recognized) {
  order_.resize(pen_.strokes());
  for (uint32_t s = 0; s < order_.size(); ++s) order_[s] = s;
  const auto any = [&] {
    return random->Below(static_cast<uint32_t>(order_.size()));
  };
  while (order_.size() > 1 && random->Chance(0.25)) {
    std::swap(order_[any()], order_[any()]);
  }
  if (order_.size() > 5 && random->Chance(recognized ? 0.04 : 0.3)) {
    order_.erase(order_.begin() + any());
  }
  if (random->Chance(0.03)) order_.push_back(order_[any()]);

  points_.clear();
  ends_.clear();
  std::vector<bool> drawn(pen_.strokes(), false);
  for (const uint32_t s : order_) {
    const bool again = drawn[s];
    drawn[s] = true;
    const double dx = again ? random->Bell() * 0.02 : 0;
    const double dy = again ? random->Bell() * 0.02 : 0;
    for (const Point& point : pen_.stroke(s)) {
      points_.push_back({point.x + dx, point.y + dy});
    }
    ends_.push_back(static_cast<uint32_t>(points_.size()));
  }
}

void DrawingGenerator::Transform(KeyedRandom* random) {
  const double angle = random->Bell() * 0.07;
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const double aspect = 1 + random->Bell() * 0.07;
  const double shear = random->Bell() * 0.04;
  const double mirror = random->Chance(0.5) ? -1 : 1;
  for (Point& point : points_) {
    const double x = (point.x - 0.5) * aspect * mirror;
    const double y = (point.y - 0.5) / aspect;
    point = {x * cosine - y * sine + y * shear, x * sine + y * cosine};
  }
}

// Ramer-Douglas-Peucker; the first and the last point are always kept.
void DrawingGenerator::Thin(absl::Span<const Point> stroke) {
  keep_.assign(stroke.size(), 0);
  keep_.front() = 1;
  keep_.back() = 1;
  open_.assign(1, {0, stroke.size() - 1});
  while (!open_.empty()) {
    const auto [first, last] = open_.back();
    open_.pop_back();
    const Point a = stroke[first];
    const double bx = stroke[last].x - a.x, by = stroke[last].y - a.y;
    const double squared = bx * bx + by * by;
    // Distances are compared squared and scaled by the chord, which spares a
    // root and a division a point; a closed run has no chord.
    double farthest = 0;
    size_t split = first;
    for (size_t i = first + 1; i < last; ++i) {
      const double px = stroke[i].x - a.x, py = stroke[i].y - a.y;
      const double cross = bx * py - by * px;
      const double distance = squared > 0 ? cross * cross : px * px + py * py;
      if (distance > farthest) {
        farthest = distance;
        split = i;
      }
    }
    const double limit = kEpsilon * kEpsilon * (squared > 0 ? squared : 1);
    if (farthest > limit) {
      keep_[split] = 1;
      open_.emplace_back(first, split);
      open_.emplace_back(split, last);
    }
  }
  for (size_t i = 0; i < stroke.size(); ++i) {
    if (keep_[i] != 0) kept_.push_back(stroke[i]);
  }
}

void DrawingGenerator::Simplify(Drawing* drawing) {
  FitToCanvas(&points_);
  kept_.clear();
  size_t begin = 0;
  for (const uint32_t end : ends_) {
    Thin(absl::MakeConstSpan(points_).subspan(begin, end - begin));
    drawing->stroke_ends.push_back(static_cast<uint32_t>(kept_.size()));
    begin = end;
  }
  // The outermost points may be gone.
  FitToCanvas(&kept_);
  for (const Point& point : kept_) {
    drawing->x.push_back(static_cast<float>(std::lround(point.x)));
    drawing->y.push_back(static_cast<float>(std::lround(point.y)));
  }
}

}  // namespace inkstream::ingest

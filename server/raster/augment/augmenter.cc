// Every random number has a word of its own, fixed by what it decides, so that
// switching one change on leaves the others as they were.

#include "server/raster/augment/augmenter.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "server/raster/augment/turn.h"

namespace inkstream::raster {
namespace {

// Words of a drawing that decide of a probability.
enum Chance : size_t {
  kFlipX,
  kFlipY,
  kReorder,
  kLastStroke,
  kPointDropout,
};

// Finaliser of SplitMix64.
uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

// [0, 1), a multiple of 2^-24.
float Uniform(uint32_t word) {
  return static_cast<float>(word >> 8U) * 0x1p-24F;
}

bool Happens(float probability, uint32_t word) {
  return Uniform(word) < probability;
}

float Negated(float value, bool negative) {
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) ^
                              (static_cast<uint32_t>(negative) << 31U));
}

// At least `size` elements, kept from drawing to drawing.
template <class T>
T* Room(size_t size, std::vector<T>* memory) {
  if (memory->size() < size + kPointSlack) memory->resize(size + kPointSlack);
  return memory->data();
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

absl::StatusOr<Augmenter> Augmenter::Create(const AugmentSpec& spec) {
  if (absl::Status s = CheckAugmentSpec(spec); !s.ok()) return s;
  return Augmenter(spec);
}

Augmenter::Augmenter(const AugmentSpec& spec)
    : spec_(spec),
      selects_strokes_(spec.stroke_dropout > 0 || spec.stroke_reorder > 0) {
  const Range ranges[kRanges] = {
      spec.rotation, spec.scale,       spec.scale_x,     spec.scale_y,
      spec.shear,    spec.translate_x, spec.translate_y, spec.line_width};
  for (size_t r = 0; r < kRanges; ++r) {
    low_[r] = ranges[r].low;
    span_[r] = ranges[r].high - ranges[r].low;
  }
  selection_.drop_strokes_below =
      static_cast<uint32_t>(spec.stroke_dropout * 65536.0F + 0.5F);
  change_.moves = spec.flip_x > 0 || spec.flip_y > 0;
  for (size_t r = 0; r < kLineWidth; ++r) {
    constexpr Range kStill[] = {{0, 0}, {1, 1}, {1, 1}, {1, 1}};
    change_.moves |= !(ranges[r] == (r < 4 ? kStill[r] : Range()));
  }
  change_.jitter = spec.jitter;
}

StrokesView Augmenter::Apply(const StrokesView& strokes, const Bounds& bounds,
                             const AugmentKey& key) {
  SetKey(key);
  const size_t points = strokes.points();
  const bool drops_points = spec_.point_dropout > 0;
  const bool jitters = change_.jitter > 0;
  uint32_t* const point_words =
      drops_points || jitters ? Room(points, &point_words_) : nullptr;
  DrawingWords words;
  FillWords(random_, point_words == nullptr ? 0 : points, &words, point_words);
  float values[kRanges];
  for (size_t r = 0; r < kRanges; ++r) {
    values[r] = low_[r] + span_[r] * Uniform(words.ranges[r]);
  }
  line_width_factor_ = values[kLineWidth];
  if (points == 0) return strokes;
  if (change_.moves) SetMatrix(values, words, bounds);
  StrokesView out = strokes;
  const PointRoom room = {Room(points, &x_), Room(points, &y_),
                          strokes.t.empty() ? nullptr : Room(points, &t_)};
  if (selects_strokes_ || drops_points) {
    out = Select(words, strokes, point_words, room);
  }
  if (!change_.moves && !jitters) return out;
  ChangePoints(change_, out.x, out.y, point_words, room);
  out.x = {room.x, out.x.size()};
  out.y = {room.y, out.y.size()};
  return out;
}

StrokesView Augmenter::Select(const DrawingWords& words,
                              const StrokesView& strokes,
                              const uint32_t* point_words,
                              const PointRoom& room) {
  if (spec_.point_dropout > 0) {
    // What 12 bits cannot tell apart is decided once for all points.
    selection_.point_words = point_words;
    selection_.drop_points_below = static_cast<uint32_t>(
        spec_.point_dropout * 4096.0F + Uniform(words.chances[kPointDropout]));
  }
  if (selects_strokes_) {
    selection_.stroke_words = StrokeWords(words, strokes.strokes());
    selection_.shuffled =
        Happens(spec_.stroke_reorder, words.chances[kReorder]);
    selection_.last_word = words.chances[kLastStroke];
  }
  const StrokeRoom stroke_room = {Room(strokes.strokes(), &order_),
                                  Room(strokes.strokes(), &stroke_ends_)};
  const Left left = SelectStrokes(selection_, strokes, stroke_room, room);
  return {{stroke_room.ends, left.strokes},
          {room.x, left.points},
          {room.y, left.points},
          {room.t, room.t == nullptr ? 0 : left.points}};
}

// The Philox key says which copy of the dataset it is; index and view, which
// change all the time, are in the counter, where they cost nothing.
void Augmenter::SetKey(const AugmentKey& key) {
  random_.view = key.view;
  random_.index = key.index;
  const uint64_t words[3] = {key.seed, key.epoch, key.occurrence};
  if (keyed_ && std::equal(words, words + 3, key_words_)) return;
  keyed_ = true;
  std::copy(words, words + 3, key_words_);
  uint64_t hash = 0x243F6A8885A308D3ULL;
  for (const uint64_t word : words) {
    hash = Mix(Mix(hash + 0x9E3779B97F4A7C15ULL) ^ word);
  }
  random_.rounds = PhiloxRounds(
      {static_cast<uint32_t>(hash), static_cast<uint32_t>(hash >> 32U)});
}

// Few drawings have more strokes than words that are drawn anyway.
const uint32_t* Augmenter::StrokeWords(const DrawingWords& words,
                                       size_t strokes) {
  if (strokes <= kFirstStrokes) return words.strokes;
  uint32_t* const all = Room(strokes, &stroke_words_);
  std::copy(words.strokes, words.strokes + kFirstStrokes, all);
  for (size_t s = kFirstStrokes; s < strokes; s += 4) {
    const PhiloxBlock block =
        RandomBlock(random_, RandomUse::kStroke,
                    static_cast<uint32_t>(s - kFirstStrokes) / 4);
    std::copy(block.begin(), block.end(), all + s);
  }
  return all;
}

// About the centre of the whole drawing, also where strokes were left out: a
// missing stroke must not move the others.
void Augmenter::SetMatrix(const float* values, const DrawingWords& words,
                          const Bounds& bounds) {
  const float sx = Negated(values[kScale] * values[kScaleX],
                           Happens(spec_.flip_x, words.chances[kFlipX]));
  const float sy = Negated(values[kScale] * values[kScaleY],
                           Happens(spec_.flip_y, words.chances[kFlipY]));
  const float shear = values[kShear];
  const float degrees = values[kRotation];
  const float move_x = values[kTranslateX];
  const float move_y = values[kTranslateY];
  const auto [sine, cosine] = TurnOf(degrees);
  // rotation * shear * scale
  change_.xx = cosine * sx;
  change_.xy = (cosine * shear - sine) * sy;
  change_.yx = sine * sx;
  change_.yy = (sine * shear + cosine) * sy;
  const float x = (bounds.min_x + bounds.max_x) * 0.5F;
  const float y = (bounds.min_y + bounds.max_y) * 0.5F;
  change_.x = x + move_x - (change_.xx * x + change_.xy * y);
  change_.y = y + move_y - (change_.yx * x + change_.yy * y);
}

}  // namespace inkstream::raster

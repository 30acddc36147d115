// Every random number has a block of its own, fixed by what it decides, so that
// switching one change on leaves the others as they were. Trigonometry is done
// here, because library functions differ in their last bit between machines.

#include "server/raster/augmenter.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "server/raster/augment_spec_check.h"

namespace inkstream::raster {
namespace {

// Which word decides what: w of block b is 16 w + b.
enum Word : size_t {
  kRotation = 0,
  kScale = 1,
  kShear = 2,
  kFlipX = 3,
  kScaleX = 16,
  kScaleY = 17,
  kFlipY = 18,
  kReorder = 19,
  kTranslateX = 32,
  kTranslateY = 33,
  kLineWidth = 34,
};
// Of a stroke's block: whether it goes, and where it comes when shuffled.
constexpr size_t kDropoutWord = 0;
constexpr size_t kShuffleWord = 1;

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

bool Chance(float probability, uint32_t word) {
  return Uniform(word) < probability;
}

// [0, bound), by multiplication.
size_t Below(size_t bound, uint32_t word) {
  return static_cast<size_t>((uint64_t{word} * bound) >> 32U);
}

float Draw(Range range, uint32_t word) {
  return range.low == range.high
             ? range.low
             : range.low + (range.high - range.low) * Uniform(word);
}

float Negated(float value, bool negative) {
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) ^
                              (static_cast<uint32_t>(negative) << 31U));
}

struct Turn {
  double sine;
  double cosine;
};

// Of an angle in degrees, |degrees| <= 360: the quarter turns are taken out,
// the rest, at most 45 degrees, is taken by series, to about 1e-12.
Turn TurnOf(double degrees) {
  const int quarters = static_cast<int>(degrees * (1.0 / 90.0) + 8.5) - 8;
  const double r = (degrees - 90.0 * quarters) * (3.14159265358979323846 / 180);
  const double s = r * r;
  // Not by Horner's rule, in which every step waits for the last.
  const double s2 = s * s;
  const double sine_sum =
      (-1.0 / 6.0 + s * (1.0 / 120.0)) +
      s2 * ((-1.0 / 5040.0 + s * (1.0 / 362880.0)) +
            s2 * (-1.0 / 39916800.0 + s * (1.0 / 6227020800.0)));
  const double cosine_sum =
      (-0.5 + s * (1.0 / 24.0)) +
      s2 * ((-1.0 / 720.0 + s * (1.0 / 40320.0)) +
            s2 * (-1.0 / 3628800.0 + s * (1.0 / 479001600.0)));
  const double sine = r + r * (s * sine_sum);
  const double cosine = 1.0 + s * cosine_sum;
  switch (quarters & 3) {
    case 0:
      return {sine, cosine};
    case 1:
      return {cosine, -sine};
    case 2:
      return {-sine, -cosine};
    default:
      return {-cosine, sine};
  }
}

// At least `size` elements, kept from drawing to drawing.
template <class T>
T* Room(size_t size, std::vector<T>* memory) {
  if (memory->size() < size + kPointSlack) memory->resize(size + kPointSlack);
  return memory->data();
}

}  // namespace

absl::StatusOr<Augmenter> Augmenter::Create(const AugmentSpec& spec) {
  if (absl::Status s = CheckAugmentSpec(spec); !s.ok()) return s;
  return Augmenter(spec);
}

Augmenter::Augmenter(const AugmentSpec& spec)
    : spec_(spec),
      selects_strokes_(spec.stroke_dropout > 0 || spec.stroke_reorder > 0) {
  change_.jitter = spec.jitter;
  change_.drop_below =
      static_cast<uint32_t>(spec.point_dropout * 65536.0F + 0.5F);
}

StrokesView Augmenter::Apply(const StrokesView& strokes, const Bounds& bounds,
                             const AugmentKey& key) {
  const RandomKey random = KeyOf(key);
  FirstWords words;
  FillFirstWords(random, selects_strokes_, &words);
  line_width_factor_ = Draw(spec_.line_width, words.words[kLineWidth]);
  const size_t points = strokes.points();
  if (points == 0) return strokes;
  const bool by_point = change_.jitter > 0 || change_.drop_below > 0;
  uint32_t* first = nullptr;
  uint32_t* second = nullptr;
  if (by_point) {
    first = Room(points, &first_words_);
    second = Room(points, &second_words_);
    FillPointWords(random, points, first, second);
  }
  SetMatrix(words, bounds);
  const bool selected =
      selects_strokes_ && SelectStrokes(random, words, strokes.strokes());
  if (!selected && change_.drop_below == 0) {
    if (!change_.moves && !by_point) return strokes;
    const PointRoom room = {Room(points, &x_), Room(points, &y_), nullptr};
    ChangePoints(change_, strokes, first, second, room);
    return {strokes.stroke_ends, {room.x, points}, {room.y, points}, strokes.t};
  }
  if (!selected) {
    order_.resize(strokes.strokes());
    std::iota(order_.begin(), order_.end(), 0U);
  }
  const PointRoom room = {Room(points, &x_), Room(points, &y_),
                          strokes.t.empty() ? nullptr : Room(points, &t_)};
  stroke_ends_.resize(order_.size());
  const size_t left = ChangeStrokes(change_, strokes, order_, first, second,
                                    room, stroke_ends_.data());
  return {stroke_ends_,
          {room.x, left},
          {room.y, left},
          {room.t, room.t == nullptr ? 0 : left}};
}

// The Philox key says which copy of the dataset it is; index and view, which
// change all the time, are in the counter, where they cost nothing.
RandomKey Augmenter::KeyOf(const AugmentKey& key) {
  const uint64_t words[3] = {key.seed, key.epoch, key.occurrence};
  if (!keyed_ || !std::equal(words, words + 3, key_words_)) {
    keyed_ = true;
    std::copy(words, words + 3, key_words_);
    uint64_t hash = 0x243F6A8885A308D3ULL;
    for (const uint64_t word : words) {
      hash = Mix(Mix(hash + 0x9E3779B97F4A7C15ULL) ^ word);
    }
    key_ = {static_cast<uint32_t>(hash), static_cast<uint32_t>(hash >> 32U)};
  }
  return {key_, key.view, key.index};
}

bool Augmenter::SelectStrokes(const RandomKey& key, const FirstWords& words,
                              size_t strokes) {
  const auto word_of = [&](size_t stroke, size_t word) {
    return stroke < kFirstStrokes
               ? words.words[16 * word + kParameterBlocks + stroke]
               : RandomBlock(key, RandomUse::kStroke,
                             static_cast<uint32_t>(stroke))[word];
  };
  order_.resize(strokes + 1);
  size_t kept = 0;
  for (size_t s = 0; s < strokes; ++s) {
    order_[kept] = static_cast<uint32_t>(s);
    // No branch: nobody could foresee it.
    kept += static_cast<size_t>(
        !Chance(spec_.stroke_dropout, word_of(s, kDropoutWord)));
  }
  if (kept == 0) {
    order_[0] = static_cast<uint32_t>(Below(strokes, word_of(0, 2)));
    kept = 1;
  }
  order_.resize(kept);
  if (!Chance(spec_.stroke_reorder, words.words[kReorder])) {
    return kept < strokes;
  }
  for (size_t i = kept - 1; i > 0; --i) {
    std::swap(order_[i], order_[Below(i + 1, word_of(i, kShuffleWord))]);
  }
  return true;
}

// About the centre of the whole drawing, also where strokes were left out: a
// missing stroke must not move the others.
void Augmenter::SetMatrix(const FirstWords& words, const Bounds& bounds) {
  const uint32_t* const w = words.words;
  const float scale = Draw(spec_.scale, w[kScale]);
  const float sx = Negated(scale * Draw(spec_.scale_x, w[kScaleX]),
                           Chance(spec_.flip_x, w[kFlipX]));
  const float sy = Negated(scale * Draw(spec_.scale_y, w[kScaleY]),
                           Chance(spec_.flip_y, w[kFlipY]));
  const float shear = Draw(spec_.shear, w[kShear]);
  const float degrees = Draw(spec_.rotation, w[kRotation]);
  const float move_x = Draw(spec_.translate_x, w[kTranslateX]);
  const float move_y = Draw(spec_.translate_y, w[kTranslateY]);
  change_.moves = sx != 1 || sy != 1 || shear != 0 || degrees != 0 ||
                  move_x != 0 || move_y != 0;
  if (!change_.moves) return;
  const Turn turn = degrees == 0 ? Turn{0, 1} : TurnOf(degrees);
  const auto sine = static_cast<float>(turn.sine);
  const auto cosine = static_cast<float>(turn.cosine);
  // rotation * shear * scale
  change_.xx = cosine * sx;
  change_.xy = (cosine * shear - sine) * sy;
  change_.yx = sine * sx;
  change_.yy = (sine * shear + cosine) * sy;
  change_.from_x = (bounds.min_x + bounds.max_x) * 0.5F;
  change_.from_y = (bounds.min_y + bounds.max_y) * 0.5F;
  change_.to_x = change_.from_x + move_x;
  change_.to_y = change_.from_y + move_y;
}

}  // namespace inkstream::raster

#define HWY_WANT_AVX3_DL 1
#include "server/raster/draw/point_kernel.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "server/raster/draw/point_kernel.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "server/raster/augment/random_blocks-inl.h"
#include "server/raster/draw/frame.h"
#include "server/raster/draw/kept_lanes-inl.h"
#include "server/raster/draw/span_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {

using WordTag = hn::RebindToUnsigned<FloatTag>;

Bounds BoundsTarget(const StrokesView& strokes) {
  if (strokes.points() == 0) return {};
  return MeasureBounds(strokes.x.data(), strokes.y.data(), strokes.points());
}

void WordsTarget(const RandomKey& key, size_t points, DrawingWords* drawing,
                 uint32_t* of_points) {
  static_assert(offsetof(DrawingWords, chances) ==
                offsetof(DrawingWords, ranges) + sizeof(drawing->ranges));
  uint32_t* const words[4] = {drawing->ranges, drawing->strokes,
                              drawing->strokes + kDrawingBlocks,
                              drawing->chances};
  DrawBlocks<kDrawingBlocks>(key, static_cast<uint32_t>(RandomUse::kDrawing),
                             words);
  auto block = static_cast<uint32_t>(RandomUse::kPoint);
  for (size_t i = 0; i < points; i += kPointRun) {
    uint32_t* const run[4] = {of_points + i, of_points + i + kPointBlocks,
                              of_points + i + 2 * kPointBlocks,
                              of_points + i + 3 * kPointBlocks};
    DrawBlocks<kPointBlocks>(key, block, run);
    block += kPointBlocks;
  }
}

// An array and its size, kept in registers: stores of floats might change what
// is in memory, for all a compiler knows.
struct Column {
  const float* from;
  size_t size;
};
HWY_INLINE Column ColumnOf(absl::Span<const float> span) {
  return {span.data(), span.size()};
}

// Elements [i, i + count); lanes past them have no meaning.
HWY_INLINE Floats LoadSome(Column column, size_t i, size_t count) {
  const FloatTag d;
#if HWY_MEM_OPS_MIGHT_FAULT && HWY_TARGET != HWY_AVX2
  if (column.size - i >= hn::Lanes(d)) return hn::LoadU(d, column.from + i);
  return LoadFirst(d, column.from + i, count, hn::Zero(d));
#else
  return hn::MaskedLoad(hn::FirstN(d, count), d, column.from + i);
#endif
}

// first, first + 1, ...: Iota() may be made an element at a time.
HWY_INLINE hn::Vec<IntTag> NumbersFrom(size_t first) {
  alignas(64) static constexpr int32_t kNumbers[16] = {
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const IntTag d;
  return hn::Add(hn::Load(d, kNumbers),
                 hn::Set(d, static_cast<int32_t>(first)));
}

// [0, bound), by multiplication.
HWY_INLINE size_t Below(size_t bound, uint32_t number, int bits) {
  return static_cast<size_t>((uint64_t{number} * bound) >> bits);
}

// Writes the strokes that stay into `order`, at least one; returns how many.
HWY_INLINE size_t StrokesLeft(const Selection& selection, size_t strokes,
                              uint32_t* order) {
  const IntTag d;
  const auto gone =
      hn::Set(d, static_cast<int32_t>(selection.drop_strokes_below) - 1);
  const auto low = hn::Set(d, 0xFFFF);
  const auto end = hn::Set(d, static_cast<int32_t>(strokes));
  size_t left = 0;
  for (size_t s = 0; s < strokes; s += hn::Lanes(d)) {
    const auto number = NumbersFrom(s);
    const auto word = hn::LoadU(
        d, reinterpret_cast<const int32_t*>(selection.stroke_words) + s);
    const auto stays =
        hn::And(hn::Gt(hn::And(word, low), gone), hn::Lt(number, end));
    const KeptLanes kept(hn::RebindMask(FloatTag(), stays));
    hn::StoreU(hn::BitCast(d, kept(hn::BitCast(FloatTag(), number))), d,
               reinterpret_cast<int32_t*>(order) + left);
    left += kept.count();
  }
  if (HWY_LIKELY(left > 0)) return left;
  order[0] = static_cast<uint32_t>(Below(strokes, selection.last_word, 32));
  return 1;
}

// Which of the points [i, i + count) of the stroke [begin, end) stay.
HWY_INLINE hn::Mask<FloatTag> PointsLeft(const Selection& selection,
                                         size_t begin, size_t end, size_t i,
                                         size_t count) {
  const IntTag d;
  const auto chance = hn::BitCast(
      d, hn::ShiftRight<20>(hn::LoadU(WordTag(), selection.point_words + i)));
  const auto number = NumbersFrom(i);
  const auto inner =
      hn::And(hn::Gt(number, hn::Set(d, static_cast<int32_t>(begin))),
              hn::Lt(number, hn::Set(d, static_cast<int32_t>(end) - 1)));
  const auto below =
      hn::Set(d, static_cast<int32_t>(selection.drop_points_below));
  const auto goes = hn::And(hn::Lt(chance, below), inner);
  return hn::RebindMask(FloatTag(), hn::AndNot(goes, hn::FirstN(d, count)));
}

Left SelectStrokesTarget(const Selection& how, const StrokesView& strokes,
                         const StrokeRoom& stroke_room, const PointRoom& room) {
  const FloatTag d;
  const Selection selection = how;
  const PointRoom out = room;
  const Column in_x = ColumnOf(strokes.x);
  const Column in_y = ColumnOf(strokes.y);
  const Column in_t = ColumnOf(strokes.t);
  uint32_t* const new_ends = stroke_room.ends;
  uint32_t* const order = stroke_room.order;
  const uint32_t* const ends = strokes.stroke_ends.data();
  const bool by_stroke = selection.stroke_words != nullptr;
  const bool by_point = selection.drop_points_below > 0;
  const size_t left = by_stroke
                          ? StrokesLeft(selection, strokes.strokes(), order)
                          : strokes.strokes();
  const uint32_t shuffled = selection.shuffled ? ~0U : 0U;
  size_t written = 0;
  for (size_t k = 0; k < left; ++k) {
    size_t s = k;
    if (by_stroke) {
      // Shuffled or not is told without a branch: nobody could foresee it.
      const uint32_t word = selection.stroke_words[k] & shuffled;
      const size_t other = k + Below(left - k, word >> 16U, 16);
      s = order[other];
      order[other] = order[k];
    }
    // Nor whether this is the first stroke.
    const size_t after_first = s > 0 ? 1 : 0;
    const size_t begin = ends[s - after_first] * after_first;
    const size_t end = ends[s];
    for (size_t i = begin; i < end; i += hn::Lanes(d)) {
      const size_t count = std::min(hn::Lanes(d), end - i);
      Floats x = LoadSome(in_x, i, count);
      Floats y = LoadSome(in_y, i, count);
      if (!by_point) {
        hn::StoreU(x, d, out.x + written);
        hn::StoreU(y, d, out.y + written);
        if (out.t != nullptr) {
          hn::StoreU(LoadSome(in_t, i, count), d, out.t + written);
        }
        written += count;
        continue;
      }
      const KeptLanes kept(PointsLeft(selection, begin, end, i, count));
      hn::StoreU(kept(x), d, out.x + written);
      hn::StoreU(kept(y), d, out.y + written);
      if (out.t != nullptr) {
        hn::StoreU(kept(LoadSome(in_t, i, count)), d, out.t + written);
      }
      written += kept.count();
    }
    new_ends[k] = static_cast<uint32_t>(written);
  }
  return {left, written};
}

struct PointVector {
  Floats x;
  Floats y;
};

// Close to normal in any direction: u and v, sums of two numbers each, lie
// along the diagonals, so x and y are sums of four that do not correlate.
HWY_INLINE PointVector Jittered(PointVector p, hn::Vec<WordTag> word,
                                float jitter) {
  const WordTag d;
  const auto fields = hn::Set(d, 0x7C1FU);
  const auto sums =
      hn::Add(hn::And(word, fields), hn::And(hn::ShiftRight<5>(word), fields));
  const IntTag di;
  const auto u = hn::BitCast(di, hn::And(sums, hn::Set(d, 0x3FFU)));
  const auto v = hn::BitCast(di, hn::ShiftRight<10>(sums));
  // Four 5-bit numbers have mean 62 and variance 4 (32^2 - 1) / 12.
  const Floats unit = hn::Set(FloatTag(), jitter * (1.0F / 18.466185F));
  const auto x = hn::Sub(hn::Add(u, v), hn::Set(di, 62));
  const auto y = hn::Sub(u, v);
  return {hn::Add(p.x, hn::Mul(unit, hn::ConvertTo(FloatTag(), x))),
          hn::Add(p.y, hn::Mul(unit, hn::ConvertTo(FloatTag(), y)))};
}

void ChangePointsTarget(const PointChange& how, absl::Span<const float> x,
                        absl::Span<const float> y, const uint32_t* words,
                        const PointRoom& room) {
  const FloatTag d;
  const PointChange change = how;
  const PointRoom out = room;
  const Column in_x = ColumnOf(x);
  const Column in_y = ColumnOf(y);
  const auto change_some = [&](size_t i, size_t count) HWY_ATTR {
    PointVector p = {LoadSome(in_x, i, count), LoadSome(in_y, i, count)};
    if (change.moves) {
      p = {hn::Add(hn::Add(hn::Mul(hn::Set(d, change.xx), p.x),
                           hn::Mul(hn::Set(d, change.xy), p.y)),
                   hn::Set(d, change.x)),
           hn::Add(hn::Add(hn::Mul(hn::Set(d, change.yx), p.x),
                           hn::Mul(hn::Set(d, change.yy), p.y)),
                   hn::Set(d, change.y))};
    }
    if (change.jitter > 0) {
      p = Jittered(p, hn::LoadU(WordTag(), words + i), change.jitter);
    }
    hn::StoreU(p.x, d, out.x + i);
    hn::StoreU(p.y, d, out.y + i);
  };
  ForEachVector(in_x.size, change_some);
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inkstream::raster {

HWY_EXPORT(BoundsTarget);
HWY_EXPORT(WordsTarget);
HWY_EXPORT(SelectStrokesTarget);
HWY_EXPORT(ChangePointsTarget);

Bounds BoundsOf(const StrokesView& strokes) {
  return HWY_DYNAMIC_DISPATCH(BoundsTarget)(strokes);
}

void FillWords(const RandomKey& key, size_t points, DrawingWords* drawing,
               uint32_t* of_points) {
  HWY_DYNAMIC_DISPATCH(WordsTarget)(key, points, drawing, of_points);
}

Left SelectStrokes(const Selection& selection, const StrokesView& strokes,
                   const StrokeRoom& stroke_room, const PointRoom& point_room) {
  return HWY_DYNAMIC_DISPATCH(SelectStrokesTarget)(selection, strokes,
                                                   stroke_room, point_room);
}

void ChangePoints(const PointChange& change, absl::Span<const float> x,
                  absl::Span<const float> y, const uint32_t* words,
                  const PointRoom& out) {
  HWY_DYNAMIC_DISPATCH(ChangePointsTarget)(change, x, y, words, out);
}

}  // namespace inkstream::raster
#endif  // HWY_ONCE

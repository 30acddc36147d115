// Lays one stroke over the images of several channels and leaves the cover
// buffer empty. Included once for each target.
//
// A pixel's share of a value is the mean over its samples of coverage times
// value; with the value 255 everywhere that is the coverage itself, and the
// channel has the same bytes as ink.
#if defined(INKSTREAM_LAYER_OVER_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef INKSTREAM_LAYER_OVER_INL
#undef INKSTREAM_LAYER_OVER_INL
#else
#define INKSTREAM_LAYER_OVER_INL
#endif

#include <algorithm>

#include "hwy/highway.h"
#include "server/raster/draw/draw_kernel.h"
#include "server/raster/draw/stroke_over-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inkstream::raster::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Most channels of one image.
constexpr size_t kMaxLayers = 8;

struct LayerStroke {
  absl::Span<const ChannelLayer> layers;
  const Canvas* canvases;  // one a layer
  size_t stroke;
};

// One sample a pixel: a lane of 16 bits is a pixel and the one below it.
HWY_INLINE void OverSingleLayers(const CapsulePlan& plan,
                                 const Touched& touched, DrawScratch& scratch,
                                 const LayerStroke& work) {
  const hn::CappedTag<uint16_t, kRowAlignment> d;
  const int32_t lanes = static_cast<int32_t>(hn::Lanes(d));
  const int32_t x0 = touched.x0 & ~(lanes - 1);
  const int32_t x1 =
      std::min(touched.x1, static_cast<int32_t>(plan.image_pitch));
  const int32_t band1 =
      std::min(touched.band1, static_cast<int32_t>((plan.rows + 1) / 2));
  const auto low = hn::Set(d, 255);
  for (int32_t band = touched.band0; band < band1; ++band) {
    const bool has_lower = static_cast<uint32_t>(band) * 2 + 1 < plan.height;
    for (int32_t x = x0; x < x1; x += lanes) {
      const size_t at =
          2 * (static_cast<size_t>(band) * plan.pitch + static_cast<size_t>(x));
      uint16_t* pairs = reinterpret_cast<uint16_t*>(scratch.cover + at);
      const auto pair = hn::Load(d, pairs);
      if (hn::AllTrue(d, hn::Eq(pair, hn::Zero(d)))) continue;
      hn::Store(hn::Zero(d), d, pairs);
      const auto first = hn::And(pair, low);
      const auto second = hn::ShiftRight<8>(pair);
      for (size_t k = 0; k < work.layers.size(); ++k) {
        const ChannelLayer& layer = work.layers[k];
        auto values =
            hn::Set(d, static_cast<uint16_t>(
                           layer.stroke_values == nullptr
                               ? 0
                               : layer.stroke_values[work.stroke] * 257));
        if (layer.stroke_values == nullptr) {
          values = hn::Load(
              d, reinterpret_cast<const uint16_t*>(
                     scratch.values + layer.plane * scratch.plane_bytes + at));
        }
        const Canvas& canvas = work.canvases[k];
        uint8_t* upper =
            canvas.pixels + static_cast<size_t>(band) * 2 * canvas.pitch + x;
        OverPixels(d, first, MulBytes(first, hn::And(values, low)), upper);
        if (HWY_LIKELY(has_lower)) {
          OverPixels(d, second, MulBytes(second, hn::ShiftRight<8>(values)),
                     upper + canvas.pitch);
        }
      }
    }
  }
}

// round(sum / (4 * 255)) of sums up to 4 * 255 * 255.
template <class D>
HWY_INLINE hn::Vec<D> MeanShare(D d, hn::Vec<D> sum) {
  const auto quarter = hn::ShiftRight<2>(hn::Add(sum, hn::Set(d, 510)));
  // quarter / 255, exact below 65535.
  return hn::ShiftRight<8>(
      hn::Add(hn::Add(quarter, hn::Set(d, 1)), hn::ShiftRight<8>(quarter)));
}

// Two samples a pixel and axis: a lane of 32 bits is a pixel's four samples.
HWY_INLINE void OverQuadLayers(const CapsulePlan& plan, const Touched& touched,
                               DrawScratch& scratch, const LayerStroke& work) {
  const hn::CappedTag<uint32_t, kRowAlignment / 2> d;
  const int32_t lanes = static_cast<int32_t>(hn::Lanes(d));
  const int32_t x0 = (touched.x0 / 2) & ~(lanes - 1);
  const int32_t x1 =
      std::min((touched.x1 + 1) / 2, static_cast<int32_t>(plan.image_pitch));
  const int32_t band1 =
      std::min(touched.band1, static_cast<int32_t>((plan.rows + 1) / 2));
  const auto low = hn::Set(d, 255);
  for (int32_t band = touched.band0; band < band1; ++band) {
    for (int32_t x = x0; x < x1; x += lanes) {
      const size_t at = 2 * (static_cast<size_t>(band) * plan.pitch +
                             2 * static_cast<size_t>(x));
      uint32_t* quads = reinterpret_cast<uint32_t*>(scratch.cover + at);
      const auto quad = hn::Load(d, quads);
      if (hn::AllTrue(d, hn::Eq(quad, hn::Zero(d)))) continue;
      hn::Store(hn::Zero(d), d, quads);
      const auto sum = SumOfBytes(quad);
      const auto cover = hn::ShiftRight<2>(hn::Add(sum, hn::Set(d, 2)));
      for (size_t k = 0; k < work.layers.size(); ++k) {
        const ChannelLayer& layer = work.layers[k];
        auto shares = hn::Zero(d);
        if (layer.stroke_values != nullptr) {
          shares = hn::Mul(sum, hn::Set(d, layer.stroke_values[work.stroke]));
        } else {
          const auto values = hn::Load(
              d, reinterpret_cast<const uint32_t*>(
                     scratch.values + layer.plane * scratch.plane_bytes + at));
          const auto product = [&](auto a, auto b) HWY_ATTR {
            return hn::Mul(hn::And(a, low), hn::And(b, low));
          };
          shares = hn::Add(hn::Add(product(quad, values),
                                   product(hn::ShiftRight<8>(quad),
                                           hn::ShiftRight<8>(values))),
                           hn::Add(product(hn::ShiftRight<16>(quad),
                                           hn::ShiftRight<16>(values)),
                                   product(hn::ShiftRight<24>(quad),
                                           hn::ShiftRight<24>(values))));
        }
        const Canvas& canvas = work.canvases[k];
        OverPixels(
            d, cover, MeanShare(d, shares),
            canvas.pixels + static_cast<size_t>(band) * canvas.pitch + x);
      }
    }
  }
}

}  // namespace inkstream::raster::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // INKSTREAM_LAYER_OVER_INL

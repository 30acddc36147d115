// Any bytes as an image spec, changes and a drawing: what is refused names a
// field; what is changed or drawn stays in its memory, is the same on two
// instruction sets, and is near what the slow clear rasteriser draws.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "server/raster/augment/augmenter.h"
#include "server/raster/draw/draw_kernel.h"
#include "server/raster/draw/rasterizer.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/image_difference.h"
#include "tests/support/reference_rasterizer.h"

namespace inkstream {
namespace {

void Require(bool condition, const std::string &what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz_raster: %s\n", what.c_str());
  std::abort();
}

// Takes bytes until there are none, then zeros.
class Bytes {
 public:
  Bytes(const uint8_t *data, size_t size) : at_(data), end_(data + size) {}

  uint8_t Byte() { return at_ == end_ ? 0 : *at_++; }
  bool empty() const { return at_ == end_; }

  float Float() {
    uint32_t bits = 0;
    for (int i = 0; i < 4; ++i) bits = bits << 8U | Byte();
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }

 private:
  const uint8_t *at_;
  const uint8_t *end_;
};

ImageSpec TakeSpec(Bytes &bytes) {
  const std::vector<std::string> names = {
      "ink", "order", "time", "pause", "speed", "direction", "constant", "x"};
  ImageSpec spec;
  spec.height = bytes.Byte() % 72;
  spec.width = bytes.Byte() % 72;
  spec.dtype = static_cast<DType>(bytes.Byte() % 9);
  spec.layout = static_cast<Layout>(bytes.Byte() % 3);
  spec.fit = static_cast<Fit>(bytes.Byte() % 4);
  const uint8_t channels = bytes.Byte();
  spec.channels.clear();
  for (size_t c = 0; c < names.size(); ++c) {
    if ((channels >> c & 1) != 0) spec.channels.push_back(names[c]);
  }
  const uint8_t form = bytes.Byte();
  spec.line_width = (form & 1) != 0 ? bytes.Float() : bytes.Byte() * 0.5F;
  spec.padding = (form & 2) != 0 ? bytes.Float() : bytes.Byte();
  if ((form & 4) != 0) spec.mean = {bytes.Float()};
  if ((form & 8) != 0) spec.std = {bytes.Float()};
  spec.quality = (form & 16) != 0 ? Quality::kExact : Quality::kFast;
  return spec;
}

// `wild`: coordinates are any floats, not only places of the canvas.
Drawing TakeDrawing(Bytes &bytes, bool wild) {
  Drawing drawing;
  while (!bytes.empty() && drawing.x.size() < 40) {
    const uint8_t x = bytes.Byte();
    drawing.x.push_back(wild ? bytes.Float() : x);
    drawing.y.push_back(wild ? bytes.Float() : bytes.Byte());
    if (x % 4 == 0) {
      drawing.stroke_ends.push_back(static_cast<uint32_t>(drawing.x.size()));
    }
  }
  if (drawing.stroke_ends.empty() ||
      drawing.stroke_ends.back() != drawing.x.size()) {
    drawing.stroke_ends.push_back(static_cast<uint32_t>(drawing.x.size()));
  }
  return testing::WithTimes(std::move(drawing));
}

std::vector<uint8_t> Draw(raster::Rasterizer &rasterizer,
                          const StrokesView &strokes,
                          const raster::DrawOptions &options) {
  const size_t bytes = rasterizer.image_bytes();
  std::vector<uint8_t> memory(bytes + 2, 0x5A);
  rasterizer.Draw(strokes, options, memory.data() + 1);
  Require(memory.front() == 0x5A && memory.back() == 0x5A,
          "wrote outside of the image");
  return {memory.begin() + 1, memory.end() - 1};
}

void CompareWithReference(ImageSpec spec, const StrokesView &strokes) {
  spec.dtype = DType::kUint8;
  spec.mean = spec.std = {};
  spec.channels = {"ink"};
  auto rasterizer = raster::Rasterizer::Create(spec);
  Require(rasterizer.ok(), "a good spec's ink is refused");
  testing::ImageDifference difference;
  difference.Add(Draw(**rasterizer, strokes, {}),
                 testing::ReferenceRaster(spec, strokes));
  // Corners inside a pixel are what the two see differently; a small image may
  // consist of them, and one of a few pixels of a single one.
  const bool few = std::min(spec.height, spec.width) < 16;
  const bool tiny = spec.height * spec.width < 16;
  Require(difference.mean() <= (tiny  ? 64.0
                                : few ? 16.0
                                      : 4.0),
          "off by " + std::to_string(difference.mean()) + " levels on average");
}

AugmentSpec TakeChanges(Bytes &bytes) {
  const bool wild = bytes.Byte() % 4 == 0;
  const auto number = [&](float low, float high) {
    return wild ? bytes.Float()
                : low + (high - low) * static_cast<float>(bytes.Byte()) / 255;
  };
  const auto range = [&](float low, float high) {
    const float a = number(low, high);
    const float b = number(low, high);
    return wild ? Range{a, b} : Range{std::min(a, b), std::max(a, b)};
  };
  return {.rotation = range(-360, 360),
          .scale = range(0.01F, 4),
          .scale_x = range(0.01F, 4),
          .scale_y = range(0.01F, 4),
          .shear = range(-10, 10),
          .translate_x = range(-1024, 1024),
          .translate_y = range(-1024, 1024),
          .flip_x = number(0, 1),
          .flip_y = number(0, 1),
          .stroke_dropout = number(0, 1),
          .stroke_reorder = number(0, 1),
          .point_dropout = number(0, 1),
          .jitter = number(0, 256),
          .line_width = range(0.01F, 100)};
}

// What is not a number is the same as that.
bool Same(absl::Span<const float> a, absl::Span<const float> b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [](float one, float other) {
        return one == other || (std::isnan(one) && std::isnan(other));
      });
}

// The drawing as changed, by the best instruction set and by `target`.
Drawing Changed(const Drawing &drawing, const AugmentSpec &spec,
                const std::string &target) {
  auto augmenter = raster::Augmenter::Create(spec);
  if (!augmenter.ok()) {
    Require(augmenter.status().message().substr(0, 8) == "augment.",
            "a refusal names no field");
    return drawing;
  }
  const raster::AugmentKey key = {1, 2, drawing.x.size(), 0, 3};
  const StrokesView view = augmenter->Apply(drawing.strokes(), key);
  Require(view.strokes() > 0 || drawing.stroke_ends.empty(), "nothing is left");
  Require(view.points() <= drawing.x.size() && view.y.size() == view.points() &&
              view.t.size() == view.points(),
          "points came out of nothing");
  Require(
      view.stroke_ends.empty() ||
          (view.stroke_ends.back() == view.points() &&
           std::is_sorted(view.stroke_ends.begin(), view.stroke_ends.end())),
      "ends are not in order");
  Drawing changed = {{view.stroke_ends.begin(), view.stroke_ends.end()},
                     {view.x.begin(), view.x.end()},
                     {view.y.begin(), view.y.end()},
                     {view.t.begin(), view.t.end()}};
  raster::UseSimdTarget(target);
  const StrokesView again = augmenter->Apply(drawing.strokes(), key);
  raster::UseSimdTarget("");
  Require(again.stroke_ends == absl::MakeConstSpan(changed.stroke_ends) &&
              Same(again.x, changed.x) && Same(again.y, changed.y) &&
              Same(again.t, changed.t),
          "two instruction sets change differently");
  return changed;
}

void Fuzz(Bytes bytes) {
  const uint8_t form = bytes.Byte();
  const ImageSpec spec = TakeSpec(bytes);
  raster::DrawOptions options;
  if ((form & 1) != 0) options.line_width_factor = bytes.Float();
  if ((form & 2) != 0) {
    options.bounds = raster::Bounds{bytes.Float(), bytes.Float(), bytes.Float(),
                                    bytes.Float()};
  }
  const bool wild = (form & 4) != 0;
  const bool changes = (form & 16) != 0;
  const AugmentSpec augment = changes ? TakeChanges(bytes) : AugmentSpec();
  static const auto *const targets =
      new std::vector<std::string>(raster::SimdTargets());
  Drawing drawing = TakeDrawing(bytes, wild);
  const std::string target = (*targets)[drawing.x.size() % targets->size()];
  if (changes) drawing = Changed(drawing, augment, target);
  auto rasterizer = raster::Rasterizer::Create(spec, 64, (form & 8) != 0);
  if (!rasterizer.ok()) {
    Require(rasterizer.status().message().substr(0, 6) == "image.",
            "a refusal names no field");
    return;
  }
  const auto drawn = Draw(**rasterizer, drawing.strokes(), options);
  raster::UseSimdTarget(target);
  const auto again = Draw(**rasterizer, drawing.strokes(), options);
  raster::UseSimdTarget("");
  Require(drawn == again, "two instruction sets differ");
  if (!wild && !changes && spec.quality == Quality::kFast) {
    CompareWithReference(spec, drawing.strokes());
  }
}

}  // namespace
}  // namespace inkstream

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  inkstream::Fuzz({data, size});
  return 0;
}

#include "tests/support/golden_tensors.h"

#include "server/raster/augment/augmenter.h"
#include "server/raster/draw/capsule_rasterizer.h"
#include "tests/support/generated_drawings.h"

namespace inkstream::testing {
namespace {

ImageSpec Square(uint32_t side) {
  ImageSpec spec;
  spec.height = spec.width = side;
  return spec;
}

}  // namespace

Drawing WithTimes(Drawing drawing) {
  float now = 0.0F;
  size_t stroke = 0;
  drawing.t.clear();
  for (size_t i = 0; i < drawing.x.size(); ++i) {
    if (stroke < drawing.stroke_ends.size() &&
        i == drawing.stroke_ends[stroke]) {
      now += static_cast<float>(100 + stroke * 37 % 800);
      ++stroke;
    }
    drawing.t.push_back(now);
    now += static_cast<float>(7 + i * 7919 % 24);
  }
  return drawing;
}

std::vector<GoldenTensor> GoldenTensors() {
  std::vector<GoldenTensor> tensors;
  const std::vector<std::string> all = {
      "ink", "order", "time", "pause", "speed", "direction", "constant"};
  for (const uint32_t side : {28U, 64U, 224U}) {
    ImageSpec spec = Square(side);
    spec.channels = all;
    tensors.push_back({"channels" + std::to_string(side), spec, {}});
  }
  ImageSpec three = Square(61);
  three.channels = {"order", "speed", "time"};
  three.layout = Layout::kNhwc;
  tensors.push_back({"three_nhwc", three, {}});
  ImageSpec odd = three;
  odd.height = 13;
  odd.width = 150;
  odd.fit = Fit::kBox;
  odd.line_width = 5.0F;
  odd.dtype = DType::kFloat16;
  tensors.push_back({"box_float16", odd, {}});
  odd.dtype = DType::kBFloat16;
  odd.layout = Layout::kNchw;
  odd.fit = Fit::kStretch;
  odd.mean = {0.5F, 0.25F, 0.1F};
  odd.std = {0.5F, 2.0F, 0.3F};
  tensors.push_back({"stretch_bfloat16", odd, {}});
  ImageSpec ink = Square(128);
  ink.dtype = DType::kFloat32;
  ink.mean = {0.1307F};
  ink.std = {0.3081F};
  tensors.push_back({"ink_float32", ink, {}});
  raster::DrawOptions moved;
  moved.bounds = raster::Bounds{10.0F, 20.0F, 200.0F, 220.0F};
  moved.line_width_factor = 0.37F;
  tensors.push_back({"moved_thin", Square(64), moved});
  moved.line_width_factor = 2.9F;
  tensors.push_back({"moved_thick", Square(64), moved});
  AugmentSpec augment;
  augment.rotation = {-30, 30};
  augment.scale = {0.8F, 1.2F};
  augment.scale_x = augment.scale_y = {0.9F, 1.1F};
  augment.shear = {-0.2F, 0.2F};
  augment.translate_x = augment.translate_y = {-16, 16};
  augment.flip_x = augment.flip_y = 0.5F;
  tensors.push_back({"augmented_geometry", Square(64), {}, augment});
  augment.stroke_dropout = 0.2F;
  augment.stroke_reorder = 0.5F;
  tensors.push_back({"augmented_strokes", Square(28), {}, augment});
  augment.point_dropout = 0.2F;
  augment.jitter = 2.0F;
  augment.line_width = {0.7F, 1.4F};
  three.layout = Layout::kNchw;
  tensors.push_back({"augmented_points", three, {}, augment});
  return tensors;
}

uint64_t Fnv1a(const std::vector<uint8_t>& bytes, uint64_t hash) {
  for (const uint8_t b : bytes) hash = (hash ^ b) * 0x100000001B3U;
  return hash;
}

uint64_t GoldenHash(const GoldenTensor& tensor) {
  raster::CapsuleRasterizer rasterizer(tensor.spec);
  raster::Augmenter augmenter(tensor.augment.value_or(AugmentSpec()));
  std::vector<uint8_t> image(rasterizer.image_bytes());
  uint64_t hash = kFnvBasis;
  raster::AugmentKey key = {7, 1, 0, 0, 0};
  for (const auto& [name, drawing] : GeneratedDrawings()) {
    const Drawing timed = WithTimes(drawing);
    StrokesView strokes = timed.strokes();
    raster::DrawOptions options = tensor.options;
    if (tensor.augment.has_value()) {
      ++key.index;
      options.bounds = raster::BoundsOf(strokes);
      strokes = augmenter.Apply(strokes, *options.bounds, key);
      options.line_width_factor = augmenter.line_width_factor();
    }
    rasterizer.Draw(strokes, options, image.data());
    hash = Fnv1a(image, hash);
  }
  return hash;
}

}  // namespace inkstream::testing

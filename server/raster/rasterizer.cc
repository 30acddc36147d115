// Capsules: coverage of a pixel falls with its distance to the segment.
// Segments of a stroke unite by maximum, strokes lie over each other.
#include "server/raster/rasterizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "server/raster/frame.h"
#include "server/raster/image_spec_check.h"

namespace inkstream::raster {
namespace {

class CapsuleRasterizer final : public Rasterizer {
 public:
  explicit CapsuleRasterizer(const ImageSpec& spec)
      : spec_(spec),
        samples_(std::min(spec.height, spec.width) <= 40 ? 4 : 1),
        rows_(spec.height * samples_),
        cols_(spec.width * samples_),
        radius_(0.5F * spec.line_width * CanvasScale(spec) * samples_),
        stroke_(size_t{rows_} * cols_) {}

  size_t image_bytes() const override {
    return size_t{spec_.height} * spec_.width;
  }

  void Draw(const StrokesView& strokes, uint8_t* out) override {
    std::memset(out, 0, image_bytes());
    const Frame frame = FrameOf(spec_, strokes);
    for (size_t s = 0; s < strokes.strokes(); ++s) {
      const size_t begin = strokes.begin(s);
      const size_t end = strokes.end(s);
      if (begin == end) continue;
      std::fill(stroke_.begin(), stroke_.end(), 0.0F);
      for (size_t i = begin; i < std::max(end - 1, begin + 1); ++i) {
        const size_t j = std::min(i + 1, end - 1);
        Capsule(strokes.x[i] * frame.scale_x + frame.offset_x,
                strokes.y[i] * frame.scale_y + frame.offset_y,
                strokes.x[j] * frame.scale_x + frame.offset_x,
                strokes.y[j] * frame.scale_y + frame.offset_y);
      }
      Over(out);
    }
  }

 private:
  void Capsule(float ax, float ay, float bx, float by) {
    const float n = static_cast<float>(samples_);
    ax *= n, ay *= n, bx *= n, by *= n;
    const float reach = radius_ + 1.0F;
    const auto clamp = [](float v, uint32_t high) {
      return static_cast<int>(std::clamp(v, 0.0F, static_cast<float>(high)));
    };
    const int x0 = clamp(std::floor(std::min(ax, bx) - reach), cols_);
    const int x1 = clamp(std::ceil(std::max(ax, bx) + reach), cols_);
    const int y0 = clamp(std::floor(std::min(ay, by) - reach), rows_);
    const int y1 = clamp(std::ceil(std::max(ay, by) + reach), rows_);
    const float dx = bx - ax;
    const float dy = by - ay;
    const float length2 = dx * dx + dy * dy;
    for (int y = y0; y < y1; ++y) {
      for (int x = x0; x < x1; ++x) {
        const float px = static_cast<float>(x) + 0.5F - ax;
        const float py = static_cast<float>(y) + 0.5F - ay;
        const float t =
            length2 > 0.0F
                ? std::clamp((px * dx + py * dy) / length2, 0.0F, 1.0F)
                : 0.0F;
        const float d = std::sqrt((px - t * dx) * (px - t * dx) +
                                  (py - t * dy) * (py - t * dy));
        const float cover = std::clamp(radius_ - d + 0.5F, 0.0F, 1.0F) +
                            std::clamp(radius_ + d + 0.5F, 0.0F, 1.0F) - 1.0F;
        float& pixel = stroke_[size_t{static_cast<uint32_t>(y)} * cols_ + x];
        pixel = std::max(pixel, cover);
      }
    }
  }

  void Over(uint8_t* out) {
    for (uint32_t y = 0; y < spec_.height; ++y) {
      for (uint32_t x = 0; x < spec_.width; ++x) {
        float sum = 0.0F;
        for (uint32_t v = 0; v < samples_; ++v) {
          for (uint32_t u = 0; u < samples_; ++u) {
            sum +=
                stroke_[(size_t{y} * samples_ + v) * cols_ + x * samples_ + u];
          }
        }
        const int a = static_cast<int>(
            sum * 255.0F / static_cast<float>(samples_ * samples_) + 0.5F);
        uint8_t& ink = out[size_t{y} * spec_.width + x];
        const int t = ink * (255 - a) + 128;
        ink = static_cast<uint8_t>(a + ((t + (t >> 8)) >> 8));
      }
    }
  }

  ImageSpec spec_;
  uint32_t samples_;
  uint32_t rows_;
  uint32_t cols_;
  float radius_;
  std::vector<float> stroke_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Rasterizer>> Rasterizer::Create(
    const ImageSpec& spec, uint32_t max_side) {
  if (absl::Status status = CheckImageSpec(spec, max_side); !status.ok()) {
    return status;
  }
  return std::make_unique<CapsuleRasterizer>(spec);
}

}  // namespace inkstream::raster

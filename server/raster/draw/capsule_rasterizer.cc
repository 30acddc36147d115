#include "server/raster/draw/capsule_rasterizer.h"

#include <cstring>

namespace inkstream::raster {

CapsuleRasterizer::CapsuleRasterizer(const ImageSpec& spec)
    : spec_(spec),
      writer_(spec),
      plans_(spec),
      values_(spec.channels),
      planes_(writer_.is_copy()
                  ? 0
                  : spec.channels.size() * spec.height * spec.width) {
  layers_.reserve(spec.channels.size());
}

void CapsuleRasterizer::Draw(const StrokesView& strokes,
                             const DrawOptions& options, uint8_t* out) {
  const CapsulePlan& plan = plans_.PlanOf(options.line_width_factor);
  scratch_.Fit(plan, spec_.channels.size(),
               static_cast<size_t>(values_.planes()));
  const DrawTask task{spec_, plan, strokes,
                      options.bounds.has_value() ? &*options.bounds : nullptr};
  DrawPlanes(task, writer_.is_copy() ? out : planes_.data());
  if (!writer_.is_copy()) writer_.Write(planes_.data(), out);
}

void CapsuleRasterizer::DrawPlanes(const DrawTask& task, uint8_t* planes) {
  const std::vector<Channel>& channels = values_.channels();
  if (channels.size() == 1 && channels[0] == Channel::kInk) {
    DrawInk(task, scratch_, planes);
    return;
  }
  values_.Compute(task.strokes);
  const size_t pixels = size_t{spec_.height} * spec_.width;
  layers_.clear();
  int plane = 0;
  for (size_t c = 0; c < channels.size(); ++c) {
    uint8_t* const image = planes + c * pixels;
    if (channels[c] == Channel::kConstant) {
      std::memset(image, 255, pixels);
      continue;
    }
    const uint8_t* const by_stroke = values_.stroke_values(c);
    layers_.push_back({image, by_stroke, plane});
    if (by_stroke == nullptr) ++plane;
  }
  DrawLayers(task, layers_, values_.segment_values(), values_.planes(),
             scratch_);
}

}  // namespace inkstream::raster

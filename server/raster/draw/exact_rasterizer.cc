#include "server/raster/draw/exact_rasterizer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "server/raster/draw/segment_clip.h"
#include "server/raster/tensor/image_spec_check.h"

namespace inkstream::raster {
namespace {

// Pixels beyond the image at which paths are cut: Cairo's coordinates have 24
// bits before the point, and what is cut off here is not seen.
constexpr double kReach = 4096.0;

}  // namespace

struct ExactRasterizer::Canvas {
  cairo_surface_t* surface = nullptr;
  cairo_t* context = nullptr;
  // From drawing to user space: unit * scale + offset.
  std::array<double, 2> scale{1.0, 1.0};
  std::array<double, 2> offset{0.0, 0.0};
  ClipBox reach{};                         // in user space
  double unit = 1.0;                       // pixels a unit of user space
  std::array<double, 2> origin{0.0, 0.0};  // pixels

  void Require(cairo_status_t status) const {
    if (status != CAIRO_STATUS_SUCCESS) throw std::bad_alloc();
  }

  // Under fit canvas the numbers are those of the recipe itself, so that they
  // are rounded alike.
  void Place(const ImageSpec& spec, const Bounds& bounds) {
    if (spec.fit == Fit::kCanvas) {
      scale = {1.0, 1.0};
      offset = {0.5 * (256.0 - static_cast<double>(bounds.max_x)),
                0.5 * (256.0 - static_cast<double>(bounds.max_y))};
      return;
    }
    const Frame frame = FrameOf(spec, bounds);
    scale = {frame.scale_x / unit, frame.scale_y / unit};
    offset = {(frame.offset_x - origin[0]) / unit,
              (frame.offset_y - origin[1]) / unit};
  }

  std::array<double, 2> Placed(const StrokesView& strokes, size_t i) const {
    return {static_cast<double>(strokes.x[i]) * scale[0] + offset[0],
            static_cast<double>(strokes.y[i]) * scale[1] + offset[1]};
  }

  bool IsNear(const std::array<double, 2>& p) const {
    return p[0] >= reach.low[0] && p[0] <= reach.high[0] &&
           p[1] >= reach.low[1] && p[1] <= reach.high[1];
  }
};

ExactRasterizer::ExactRasterizer(const ImageSpec& spec,
                                 const CairoLibrary& cairo)
    : spec_(spec),
      cairo_(cairo),
      writer_(spec),
      plane_(writer_.is_copy() ? 0 : size_t{spec.height} * spec.width),
      canvas_(new Canvas) {
  const int height = static_cast<int>(spec.height);
  const int width = static_cast<int>(spec.width);
  const int side = std::min(height, width);
  const double margin = spec.padding + 0.5 * spec.line_width;
  canvas_->unit = side / (256.0 + 2.0 * margin);
  const std::array<double, 2> corner{0.5 * (width - side),
                                     0.5 * (height - side)};
  canvas_->origin = {corner[0] + margin * canvas_->unit,
                     corner[1] + margin * canvas_->unit};
  const std::array<double, 2> size{static_cast<double>(width),
                                   static_cast<double>(height)};
  for (size_t axis = 0; axis < 2; ++axis) {
    canvas_->reach.low[axis] =
        (-kReach - canvas_->origin[axis]) / canvas_->unit;
    canvas_->reach.high[axis] =
        (size[axis] + kReach - canvas_->origin[axis]) / canvas_->unit;
  }
  canvas_->surface =
      cairo_.image_surface_create(CAIRO_FORMAT_A8, width, height);
  canvas_->context = cairo_.create(canvas_->surface);
  cairo_t* const context = canvas_->context;
  cairo_.set_antialias(context, CAIRO_ANTIALIAS_BEST);
  cairo_.set_line_cap(context, CAIRO_LINE_CAP_ROUND);
  cairo_.set_line_join(context, CAIRO_LINE_JOIN_ROUND);
  cairo_.translate(context, corner[0], corner[1]);
  cairo_.scale(context, canvas_->unit, canvas_->unit);
  cairo_.translate(context, margin, margin);
  cairo_.set_source_rgba(context, 1.0, 1.0, 1.0, 1.0);
  canvas_->Require(cairo_.status(context));
}

ExactRasterizer::~ExactRasterizer() {
  cairo_.destroy(canvas_->context);
  cairo_.surface_destroy(canvas_->surface);
  delete canvas_;
}

void ExactRasterizer::Draw(const StrokesView& strokes,
                           const DrawOptions& options, uint8_t* out) {
  cairo_.surface_flush(canvas_->surface);
  uint8_t* const data = cairo_.image_surface_get_data(canvas_->surface);
  const auto stride =
      static_cast<size_t>(cairo_.image_surface_get_stride(canvas_->surface));
  std::memset(data, 0, stride * spec_.height);
  cairo_.surface_mark_dirty(canvas_->surface);
  canvas_->Place(spec_, options.bounds.value_or(BoundsOf(strokes)));
  const float factor = std::max(options.line_width_factor, 0.0F);
  cairo_.set_line_width(canvas_->context,
                        std::min(spec_.line_width * factor, kMaxLineWidth));
  for (size_t s = 0; s < strokes.strokes(); ++s) {
    AddPath(strokes, s);
    cairo_.stroke(canvas_->context);
  }
  canvas_->Require(cairo_.status(canvas_->context));
  cairo_.surface_flush(canvas_->surface);
  uint8_t* const plane = writer_.is_copy() ? out : plane_.data();
  for (uint32_t y = 0; y < spec_.height; ++y) {
    std::memcpy(plane + size_t{y} * spec_.width, data + y * stride,
                spec_.width);
  }
  if (!writer_.is_copy()) writer_.Write(plane, out);
}

void ExactRasterizer::AddPath(const StrokesView& strokes, size_t stroke) {
  const size_t begin = strokes.begin(stroke);
  const size_t end = strokes.end(stroke);
  bool pen_down = false;
  for (size_t i = begin; i < end; ++i) {
    std::array<double, 2> to = canvas_->Placed(strokes, i);
    // As Google did: the first point is moved to and drawn to as well, which
    // makes a dot of a single point.
    std::array<double, 2> from =
        i == begin ? to : canvas_->Placed(strokes, i - 1);
    const bool cut = !canvas_->IsNear(from) || !canvas_->IsNear(to);
    if (cut && !ClipToBox(canvas_->reach, from, to)) {
      pen_down = false;
      continue;
    }
    if (!pen_down || cut) cairo_.move_to(canvas_->context, from[0], from[1]);
    cairo_.line_to(canvas_->context, to[0], to[1]);
    pen_down = true;
  }
}

}  // namespace inkstream::raster

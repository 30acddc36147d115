#include "tests/support/cairo_reference.h"

#include <cairo/cairo.h>

#include <algorithm>
#include <cstring>

namespace inkstream::testing {

struct CairoReference::State {
  cairo_surface_t* surface;
  cairo_t* context;
};

CairoReference::CairoReference(const ImageSpec& spec)
    : spec_(spec), state_(std::make_unique<State>()) {
  const int height = static_cast<int>(spec.height);
  const int width = static_cast<int>(spec.width);
  const int side = std::min(height, width);
  const double margin = spec.padding + 0.5 * spec.line_width;
  const double scale = side / (256.0 + 2.0 * margin);
  state_->surface = cairo_image_surface_create(CAIRO_FORMAT_A8, width, height);
  cairo_t* context = cairo_create(state_->surface);
  state_->context = context;
  cairo_set_antialias(context, CAIRO_ANTIALIAS_BEST);
  cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_width(context, spec.line_width);
  cairo_translate(context, 0.5 * (width - side), 0.5 * (height - side));
  cairo_scale(context, scale, scale);
  cairo_translate(context, margin, margin);
}

CairoReference::~CairoReference() {
  cairo_destroy(state_->context);
  cairo_surface_destroy(state_->surface);
}

size_t CairoReference::image_bytes() const {
  return size_t{spec_.height} * spec_.width;
}

void CairoReference::Draw(const StrokesView& strokes, uint8_t* out) {
  cairo_t* context = state_->context;
  cairo_set_operator(context, CAIRO_OPERATOR_CLEAR);
  cairo_paint(context);
  cairo_set_operator(context, CAIRO_OPERATOR_OVER);
  cairo_set_source_rgba(context, 1.0, 1.0, 1.0, 1.0);
  if (strokes.points() > 0) {
    const double max_x = *std::max_element(strokes.x.begin(), strokes.x.end());
    const double max_y = *std::max_element(strokes.y.begin(), strokes.y.end());
    const double offset_x = 0.5 * (256.0 - max_x);
    const double offset_y = 0.5 * (256.0 - max_y);
    for (size_t s = 0; s < strokes.strokes(); ++s) {
      for (size_t i = strokes.begin(s); i < strokes.end(s); ++i) {
        const double x = strokes.x[i] + offset_x;
        const double y = strokes.y[i] + offset_y;
        // As Google did: a move to the first point and a line to it as well,
        // which makes a dot of a single point.
        if (i == strokes.begin(s)) cairo_move_to(context, x, y);
        cairo_line_to(context, x, y);
      }
      cairo_stroke(context);
    }
  }
  cairo_surface_flush(state_->surface);
  const uint8_t* data = cairo_image_surface_get_data(state_->surface);
  const int stride = cairo_image_surface_get_stride(state_->surface);
  for (uint32_t y = 0; y < spec_.height; ++y) {
    std::memcpy(out + size_t{y} * spec_.width, data + size_t{y} * stride,
                spec_.width);
  }
}

}  // namespace inkstream::testing

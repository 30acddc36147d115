#include "tests/support/contact_sheet.h"

#include <cairo/cairo.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace inkstream::testing {
namespace {

constexpr int kGap = 6;
constexpr int kCaption = 18;

void Paint(cairo_t* context, const std::vector<uint8_t>& pixels, int height,
           int width, int cell) {
  cairo_surface_t* const grey =
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
  uint8_t* const data = cairo_image_surface_get_data(grey);
  const int stride = cairo_image_surface_get_stride(grey);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      uint8_t* const at = data + y * stride + 4 * x;
      std::fill_n(at, 4, pixels[static_cast<size_t>(y * width + x)]);
    }
  }
  cairo_surface_mark_dirty(grey);
  const double scale = static_cast<double>(cell) / std::max(height, width);
  cairo_scale(context, scale, scale);
  cairo_set_source_surface(context, grey, 0, 0);
  cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST);
  cairo_paint(context);
  cairo_surface_destroy(grey);
}

}  // namespace

ContactSheet::ContactSheet(std::vector<std::string> captions, int cell)
    : captions_(std::move(captions)), cell_(cell) {}

void ContactSheet::Add(const std::vector<uint8_t>& image, uint32_t height,
                       uint32_t width) {
  images_.push_back({image, static_cast<int>(height), static_cast<int>(width)});
}

bool ContactSheet::Write(const std::string& path) const {
  const int columns = static_cast<int>(captions_.size());
  const int rows = (static_cast<int>(images_.size()) + columns - 1) / columns;
  const int step = cell_ + kGap;
  cairo_surface_t* const sheet = cairo_image_surface_create(
      CAIRO_FORMAT_RGB24, columns * step + kGap, rows * step + kGap + kCaption);
  cairo_t* const context = cairo_create(sheet);
  cairo_set_source_rgb(context, 0.2, 0.25, 0.4);
  cairo_paint(context);
  cairo_set_source_rgb(context, 1, 1, 1);
  for (int c = 0; c < columns; ++c) {
    cairo_move_to(context, kGap + c * step, kCaption - 5);
    cairo_show_text(context, captions_[static_cast<size_t>(c)].c_str());
  }
  for (size_t i = 0; i < images_.size(); ++i) {
    const int index = static_cast<int>(i);
    cairo_save(context);
    cairo_translate(context, kGap + index % columns * step,
                    kCaption + kGap + index / columns * step);
    Paint(context, images_[i].pixels, images_[i].height, images_[i].width,
          cell_);
    cairo_restore(context);
  }
  const cairo_status_t status = cairo_surface_write_to_png(sheet, path.c_str());
  cairo_destroy(context);
  cairo_surface_destroy(sheet);
  return status == CAIRO_STATUS_SUCCESS;
}

}  // namespace inkstream::testing

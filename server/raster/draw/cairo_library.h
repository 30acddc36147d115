// Cairo, loaded when images of quality exact are first asked for: most
// processes never do, and it would bring dozens of libraries along.
//
// Thread safety: immutable once it is loaded.
#pragma once

#include <cairo/cairo.h>

#include "absl/status/statusor.h"

namespace inkstream::raster {

// Functions of libcairo.so.2, named as there.
struct CairoLibrary {
  decltype(&::cairo_create) create;
  decltype(&::cairo_destroy) destroy;
  decltype(&::cairo_image_surface_create) image_surface_create;
  decltype(&::cairo_image_surface_get_data) image_surface_get_data;
  decltype(&::cairo_image_surface_get_stride) image_surface_get_stride;
  decltype(&::cairo_line_to) line_to;
  decltype(&::cairo_move_to) move_to;
  decltype(&::cairo_scale) scale;
  decltype(&::cairo_set_antialias) set_antialias;
  decltype(&::cairo_set_line_cap) set_line_cap;
  decltype(&::cairo_set_line_join) set_line_join;
  decltype(&::cairo_set_line_width) set_line_width;
  decltype(&::cairo_set_source_rgba) set_source_rgba;
  decltype(&::cairo_status) status;
  decltype(&::cairo_stroke) stroke;
  decltype(&::cairo_surface_destroy) surface_destroy;
  decltype(&::cairo_surface_flush) surface_flush;
  decltype(&::cairo_surface_mark_dirty) surface_mark_dirty;
  decltype(&::cairo_translate) translate;
};

// It stays loaded. FAILED_PRECONDITION: this machine has none, and why.
absl::StatusOr<const CairoLibrary*> LoadCairo();

}  // namespace inkstream::raster

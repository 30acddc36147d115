// Cairo, loaded when images of quality exact are first asked for: most
// processes never do, and it would bring dozens of libraries along.
//
// Thread safety: immutable once it is loaded.
#pragma once

#include <cairo/cairo.h>

#include "absl/status/statusor.h"

namespace inkstream::raster {

// What is used of libcairo.so.2, without "cairo_" in front.
#define INKSTREAM_CAIRO_FUNCTIONS(F) \
  F(create)                          \
  F(destroy)                         \
  F(image_surface_create)            \
  F(image_surface_get_data)          \
  F(image_surface_get_stride)        \
  F(line_to)                         \
  F(move_to)                         \
  F(scale)                           \
  F(set_antialias)                   \
  F(set_line_cap)                    \
  F(set_line_join)                   \
  F(set_line_width)                  \
  F(set_source_rgba)                 \
  F(status)                          \
  F(stroke)                          \
  F(surface_destroy)                 \
  F(surface_flush)                   \
  F(surface_mark_dirty)              \
  F(translate)

struct CairoLibrary {
#define INKSTREAM_CAIRO_MEMBER(name) decltype(&::cairo_##name) name;
  INKSTREAM_CAIRO_FUNCTIONS(INKSTREAM_CAIRO_MEMBER)
#undef INKSTREAM_CAIRO_MEMBER
};

// It stays loaded. FAILED_PRECONDITION: this machine has none, and why.
absl::StatusOr<const CairoLibrary*> LoadCairo();

}  // namespace inkstream::raster

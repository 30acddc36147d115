// Drawings rasterised by Cairo at its best quality, the way Google made its
// published bitmaps.
//
// Thread safety: one object a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "inkstream/drawing.h"
#include "inkstream/image_spec.h"

namespace inkstream::testing {

// Draws spec's height, width, line_width and padding with fit canvas.
class CairoReference {
 public:
  explicit CairoReference(const ImageSpec& spec);
  ~CairoReference();

  size_t image_bytes() const;
  // `out` has image_bytes() bytes: 0 ground, 255 ink.
  void Draw(const StrokesView& strokes, uint8_t* out);

 private:
  struct State;
  const ImageSpec spec_;
  std::unique_ptr<State> state_;
};

}  // namespace inkstream::testing

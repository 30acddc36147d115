#include "server/raster/ascii_preview.h"

#include <algorithm>
#include <memory>

#include "absl/strings/string_view.h"
#include "server/raster/draw/rasterizer.h"

namespace inkstream::raster {
namespace {

// Ink over one character cell, from none to full.
constexpr absl::string_view kShades = " .:-=+*#%@";

}  // namespace

std::vector<std::string> AsciiPreview(const StrokesView& strokes,
                                      uint32_t columns) {
  columns = std::clamp(columns, 8U, 200U);
  // Drawn on square pixels, two of them above each other in a character,
  // since a terminal's cell is about twice as high as wide.
  ImageSpec spec;
  spec.width = columns;
  spec.height = columns / 2 * 2;
  // The line is about 1.2 characters wide whatever the width of the preview:
  // thinner ones break up, thicker ones run together.
  spec.padding = 0.0F;
  spec.line_width =
      std::min(64.0F, 1.2F * 256.0F / static_cast<float>(columns));
  const auto rasterizer = Rasterizer::Create(spec);
  if (!rasterizer.ok()) return {rasterizer.status().ToString()};
  std::vector<uint8_t> ink((*rasterizer)->image_bytes());
  (*rasterizer)->Draw(strokes, ink.data());

  std::vector<std::string> lines(spec.height / 2);
  for (uint32_t row = 0; row < lines.size(); ++row) {
    std::string& line = lines[row];
    for (uint32_t x = 0; x < columns; ++x) {
      const uint8_t* cell = &ink[size_t{2} * row * columns + x];
      const uint32_t level = (uint32_t{cell[0]} + cell[columns]) / 2;
      line += kShades[level * (kShades.size() - 1) / 255];
    }
    line.erase(line.find_last_not_of(' ') + 1);
  }
  return lines;
}

}  // namespace inkstream::raster

// A drawing for a person at a terminal.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/drawing.h"

namespace inkstream::raster {

// `columns` characters wide (8..200, clamped), half as many lines, ASCII only;
// trailing spaces are cut.
std::vector<std::string> AsciiPreview(const StrokesView& strokes,
                                      uint32_t columns = 64);

}  // namespace inkstream::raster

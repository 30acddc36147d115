// Drawings with all columns for tests of the store, and short ways to write and
// read them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "inkstream/drawing.h"
#include "server/store/store_reader.h"
#include "server/store/store_writer.h"
#include "server/store/strokes/byte_strokes.h"

namespace inkstream::store {

// The i-th of a fixed series: a few wobbly strokes, all columns, words that
// change every 50 drawings.
Drawing SampleDrawing(uint64_t i);
std::vector<Drawing> SampleDrawings(uint64_t count);

// One stroke.
Drawing OneStroke(std::vector<float> x, std::vector<float> y);

// A drawing's strokes on the canvas as writers take them: bytes. Borrows it.
struct ByteCopy {
  explicit ByteCopy(const Drawing& drawing)
      : x(drawing.x.begin(), drawing.x.end()),
        y(drawing.y.begin(), drawing.y.end()),
        strokes{drawing.stroke_ends, x, y} {}

  std::vector<uint8_t> x, y;
  ByteStrokes strokes;
};

// Drawings at the limits: one point, 255s, 10,000 points, a thousand strokes,
// every combination of missing columns, Unicode words, extreme numbers.
std::vector<Drawing> OddDrawings();

// Writes a store, in appends of `append` drawings; answers the fingerprint.
std::string MustWrite(const std::string& path,
                      const std::vector<Drawing>& drawings,
                      const WriterOptions& options = {}, size_t append = 777);
std::shared_ptr<const StoreReader> MustOpen(const std::string& path);

// The text by which tests name a drawing that differs.
std::string Describe(const Drawing& drawing);

}  // namespace inkstream::store

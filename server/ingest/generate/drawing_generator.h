// Synthetic drawings as a function of (seed, index).
//
// Thread safety: one object a thread; objects with the same options give the
// same drawings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "inkstream/drawing.h"
#include "server/ingest/generate/pen.h"

namespace inkstream::ingest {

class DrawingGenerator {
 public:
  // `classes`: 1 to ClassCatalog().size(), the first of the catalogue; they
  // take turns, drawing `index` is of class index % classes.
  DrawingGenerator(uint64_t seed, size_t classes)
      : seed_(seed), classes_(classes) {}

  // Fills every field but times. Coordinates are whole numbers, the smallest
  // x and y are 0 and the larger side is 255; key_ids have 16 digits and do not
  // repeat below 2^51 drawings.
  void Generate(uint64_t index, Drawing* drawing);

 private:
  void ChooseStrokes(KeyedRandom* random, bool recognized);
  void Transform(KeyedRandom* random);
  void Simplify(Drawing* drawing);
  // Adds to kept_ the points without which the stroke would move visibly.
  void Thin(absl::Span<const Point> stroke);

  const uint64_t seed_;
  const size_t classes_;
  Pen pen_;
  // Scratch: the drawing before and after simplification.
  std::vector<uint32_t> order_;
  std::vector<Point> points_, kept_;
  std::vector<uint32_t> ends_;
  std::vector<uint8_t> keep_;                    // [points of a stroke]
  std::vector<std::pair<size_t, size_t>> open_;  // runs still to be split
};

}  // namespace inkstream::ingest

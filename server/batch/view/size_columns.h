// How many strokes and points each drawing has. The store does not keep these
// as columns: they are counted once, by decoding every drawing, when the first
// view asks for them.
//
// Thread safety: immutable after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/store/store_reader.h"

namespace inkstream::batch {

class SizeColumns {
 public:
  // Memory for a store of so many drawings.
  static size_t BytesOf(uint64_t drawings) { return 4 * drawings; }

  // Decodes the whole store on up to `threads` threads: about half a second a
  // million drawings and core.
  static std::shared_ptr<const SizeColumns> Count(
      const store::StoreReader& store, int threads);

  // 0: the drawing cannot be read. 65535: so many or more.
  uint32_t strokes(uint64_t index) const { return strokes_[index]; }
  uint32_t points(uint64_t index) const { return points_[index]; }
  size_t bytes() const { return BytesOf(points_.size()); }

 private:
  explicit SizeColumns(uint64_t drawings)
      : strokes_(drawings), points_(drawings) {}

  std::vector<uint16_t> strokes_;
  std::vector<uint16_t> points_;
};

}  // namespace inkstream::batch

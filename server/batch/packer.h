// What makes a stream's batches smaller before they travel.
//
// `batch` owns the interface, so that compressing happens on its workers, right
// behind drawing, and transports implement it, so that `batch` knows no codec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "inkstream/drawing.h"

namespace inkstream::batch {

// How the bytes of a batch are to travel.
enum class WireForm : uint8_t {
  kRaw,      // as they lie
  kPacked,   // in runs that Pack() made smaller
  kStrokes,  // likewise, but images as the strokes to draw them of
};

// A run of a packed batch. Sums over all chunks give the batch's byte space and
// what its buffer holds instead.
struct WireChunk {
  uint32_t bytes = 0;       // of the byte space
  uint32_t wire_bytes = 0;  // that stand for them; equal: not compressed
  // Not 0: the run is images, and this is the length of the encoded strokes,
  // before they were compressed.
  uint32_t strokes_bytes = 0;
  // Not 0: the length that the run had without its words of ground and ink,
  // before it was compressed.
  uint32_t sparse_bytes = 0;
};

// The longest run that Pack() is given.
inline constexpr size_t kMaxChunkBytes = size_t{1} << 18U;

// Thread safety: every method may be called from any thread.
class Packer {
 public:
  virtual ~Packer() = default;

  // Of the batch that is begun next. Does not block.
  virtual WireForm NextForm() = 0;

  // Compresses 1..kMaxChunkBytes bytes in place and says what became of them:
  // nothing, where they get no shorter. Leaves strokes_bytes alone.
  virtual WireChunk Pack(uint8_t* bytes, size_t size) = 0;

  // The same for encoded strokes; returns how many bytes they are now.
  virtual size_t PackStrokes(uint8_t* bytes, size_t size) = 0;

  // Appends a drawing, encoded. `occurrence`: see raster::AugmentKey.
  virtual void AppendStrokes(const StrokesView& drawing, uint64_t occurrence,
                             std::vector<uint8_t>* encoded) const = 0;
};

}  // namespace inkstream::batch

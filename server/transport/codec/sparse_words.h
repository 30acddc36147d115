// Bytes without their ground and the inside of their lines: of 4-byte words,
// only those that are neither all zeros nor all ones.
//
//   a bit for each word that is all ones, the lowest bit first, in whole bytes;
//   likewise for each word that is neither; those words; the 0 to 3 bytes
//   behind the last word
//
// Nine tenths of a raster are the one or the other. README.md has what leaving
// them out saves.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace inkstream::transport {

// The longest that `size` bytes can become.
constexpr size_t MaxSparseBytes(size_t size) { return size + size / 16 + 16; }

// Returns how many bytes were written; `out` has MaxSparseBytes(bytes.size()).
size_t PackSparse(absl::Span<const uint8_t> bytes, uint8_t* out);

// Fills `out`. False: `sparse` does not stand for so many bytes.
bool UnpackSparse(absl::Span<const uint8_t> sparse, absl::Span<uint8_t> out);

}  // namespace inkstream::transport

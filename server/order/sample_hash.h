// Chance by content: whether a drawing belongs to a random part of a view.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>

namespace inkstream::order {

// Uniform over 64 bits; independent of the split hash's own order, in which
// splits, slices and folds are cut. Part of the contract: see README.md.
constexpr uint64_t SampleHash(uint64_t split_hash) {
  uint64_t x = split_hash ^ 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

}  // namespace inkstream::order

// `shuffle = window:N`: an order that reads a store in runs. Chunks of 256
// neighbouring ranks come in a shuffled order; then positions are shuffled
// within windows of N. At any time about N drawings, in whole chunks, are
// touched.
//
// Thread safety: immutable after construction; a Memo belongs to one caller.
#pragma once

#include <cstdint>
#include <optional>

#include "server/order/permutation.h"

namespace inkstream::order {

class WindowShuffle {
 public:
  static constexpr uint64_t kChunk = 256;

  // The last window looked into: spares building its permutation again.
  struct Memo {
    uint64_t window = ~uint64_t{0};
    std::optional<Permutation> permutation;
  };

  // REQUIRES: 1 <= size <= Permutation::kMaxSize, window >= 1.
  WindowShuffle(uint64_t size, uint64_t window, uint64_t seed, uint64_t epoch);

  // A bijection of [0, size). REQUIRES: position < size. O(1).
  uint64_t RankAt(uint64_t position, Memo* memo) const;

 private:
  // Where the chunks' order puts this place.
  uint64_t ByChunk(uint64_t place) const;

  uint64_t size_;
  uint64_t window_;
  uint64_t key_;
  uint64_t rest_;       // drawings of the chunk that is not whole
  uint64_t rest_slot_;  // how many whole chunks come before it
  std::optional<Permutation> chunks_;  // of the whole ones
};

// The window to advise for a store of so many drawings and bytes on a machine
// whose server may use `memory` bytes: 0, a full shuffle, where the store stays
// in the page cache anyway; else as many drawings as an eighth of it holds.
uint64_t RecommendedWindow(uint64_t drawings, uint64_t store_bytes,
                           uint64_t memory);

}  // namespace inkstream::order

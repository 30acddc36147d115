// A keyed pseudo-random bijection of [0, size): the shuffle of one epoch.
//
// O(1) memory, O(1) for any position. The same on every platform.
// Thread safety: immutable after construction.
#pragma once

#include <cstdint>

namespace inkstream::order {

class Permutation {
 public:
  // A different permutation for each (size, seed, epoch). size >= 1.
  Permutation(uint64_t size, uint64_t seed, uint64_t epoch);

  // REQUIRES: position < size(). Returns a number in [0, size()).
  uint64_t operator()(uint64_t position) const;

  uint64_t size() const { return size_; }

 private:
  uint64_t size_;
};

}  // namespace inkstream::order

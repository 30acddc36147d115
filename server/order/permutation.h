// A keyed pseudo-random bijection of [0, size): the shuffle of one epoch.
//
// O(1) memory, O(1) for any position. Integer arithmetic only, so the same on
// every platform; README.md gives the algorithm in a form that other languages
// can repeat.
//
// Thread safety: immutable after construction.
#pragma once

#include <array>
#include <cstdint>

namespace inkstream::order {

class Permutation {
 public:
  // Largest `size` that is supported.
  static constexpr uint64_t kMaxSize = uint64_t{1} << 63U;

  // A different permutation for each (size, seed, epoch).
  // REQUIRES: 1 <= size <= kMaxSize.
  Permutation(uint64_t size, uint64_t seed, uint64_t epoch);

  // REQUIRES: position < size(). Returns a number in [0, size()).
  uint64_t operator()(uint64_t position) const;

  uint64_t size() const { return size_; }

 private:
  // Pairs of Feistel rounds: a pair changes both halves once. Small domains
  // have few round functions to choose from and get more of them.
  static constexpr int kPairs = 3;
  static constexpr int kPairsSmall = 12;
  static constexpr uint64_t kSmall = 1U << 16U;

  // One walk step: a bijection of [0, left_ * right_).
  uint64_t Encrypt(uint64_t value) const;

  uint64_t size_;
  uint64_t left_;              // ceil(sqrt(size)), made even
  uint64_t right_;             // ceil(size / left)
  uint64_t right_reciprocal_;  // floor(2^64 / right), 0 where right is 1
  int pairs_;
  std::array<uint64_t, 2 * kPairsSmall> keys_;
};

}  // namespace inkstream::order

// A set of numbers below N as a bitmap, with the k-th member in O(log N).
//
// N/8 bytes, and 8 bytes for every 512 numbers.
// Thread safety: immutable after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace inkstream::batch {

class RankSelect {
 public:
  // `words`: bit i of word w stands for number 64 * w + i.
  explicit RankSelect(std::vector<uint64_t> words);

  // How many numbers are in the set.
  uint64_t size() const { return before_.back(); }

  // The k-th smallest member, from 0. REQUIRES: k < size().
  uint64_t Select(uint64_t k) const;

  // How many members are below `number`. REQUIRES: number < 64 * words.
  uint64_t RankOf(uint64_t number) const;

  bool Contains(uint64_t number) const {
    return (words_[number / 64] >> (number % 64)) & 1U;
  }

  // Bit i of word w stands for number 64 * w + i; padded with zeros.
  const std::vector<uint64_t>& words() const { return words_; }

  size_t bytes() const { return 8 * (words_.size() + before_.size()); }

  // Memory of a set of numbers below `bound`, at most.
  static size_t BytesOf(uint64_t bound) { return bound / 64 * 9 + 256; }

 private:
  static constexpr uint64_t kBlockWords = 8;

  std::vector<uint64_t> words_;   // padded to whole blocks
  std::vector<uint64_t> before_;  // members before each block, then the total
};

}  // namespace inkstream::batch

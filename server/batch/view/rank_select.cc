#include "server/batch/view/rank_select.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace inkstream::batch {
namespace {

// Place of the k-th set bit of `word`. REQUIRES: k < popcount(word).
uint64_t SelectInWord(uint64_t word, uint64_t k) {
  uint64_t place = 0;
  for (uint64_t width = 32; width > 0; width /= 2) {
    const uint64_t low = word & ((uint64_t{1} << width) - 1);
    const uint64_t in_low = std::popcount(low);
    if (k < in_low) {
      word = low;
    } else {
      k -= in_low;
      word >>= width;
      place += width;
    }
  }
  return place;
}

}  // namespace

RankSelect::RankSelect(std::vector<uint64_t> words) : words_(std::move(words)) {
  words_.resize((words_.size() + kBlockWords - 1) / kBlockWords * kBlockWords);
  before_.reserve(words_.size() / kBlockWords + 1);
  uint64_t total = 0;
  for (size_t w = 0; w < words_.size(); ++w) {
    if (w % kBlockWords == 0) before_.push_back(total);
    total += std::popcount(words_[w]);
  }
  before_.push_back(total);
}

uint64_t RankSelect::Select(uint64_t k) const {
  const auto after = std::upper_bound(before_.begin(), before_.end(), k);
  const uint64_t block = after - before_.begin() - 1;
  k -= before_[block];
  for (uint64_t w = block * kBlockWords;; ++w) {
    const uint64_t members = std::popcount(words_[w]);
    if (k < members) return 64 * w + SelectInWord(words_[w], k);
    k -= members;
  }
}

uint64_t RankSelect::RankOf(uint64_t number) const {
  const uint64_t word = number / 64;
  uint64_t rank = before_[word / kBlockWords];
  for (uint64_t w = word / kBlockWords * kBlockWords; w < word; ++w) {
    rank += std::popcount(words_[w]);
  }
  const uint64_t below = (uint64_t{1} << (number % 64)) - 1;
  return rank + std::popcount(words_[word] & below);
}

}  // namespace inkstream::batch

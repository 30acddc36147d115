#include "server/transport/codec/sparse_words.h"

#include <array>
#include <cstring>

namespace inkstream::transport {
namespace {

constexpr size_t kWord = sizeof(uint32_t);
constexpr size_t kWords = 8;  // to a byte of a mask
constexpr size_t kBlock = kWords * kWord;

// The compiler's own is a call where the machine is not known to count bits.
constexpr std::array<uint8_t, 256> kBits = [] {
  std::array<uint8_t, 256> bits{};
  for (size_t i = 1; i < bits.size(); ++i) {
    bits[i] = static_cast<uint8_t>(bits[i / 2] + i % 2);
  }
  return bits;
}();

// Whether all of a block's words are `word`.
bool IsAll(const uint8_t* block, uint64_t word) {
  uint64_t parts[kBlock / sizeof(uint64_t)];
  std::memcpy(parts, block, kBlock);
  return ((parts[0] ^ word) | (parts[1] ^ word) | (parts[2] ^ word) |
          (parts[3] ^ word)) == 0;
}

// Of `count` words: writes those that are neither at `to`, and one more word.
struct Masks {
  uint32_t ones = 0;
  uint32_t others = 0;
};
Masks Sort(const uint8_t* from, size_t count, uint8_t** to) {
  Masks masks;
  for (size_t w = 0; w < count; ++w) {
    uint32_t word;
    std::memcpy(&word, from + w * kWord, kWord);
    const bool one = word == UINT32_MAX;
    const bool other = word != 0 && !one;
    // Written in any case, and over again where it is left out.
    std::memcpy(*to, &word, kWord);
    *to += other ? kWord : 0;
    masks.ones |= static_cast<uint32_t>(one) << w;
    masks.others |= static_cast<uint32_t>(other) << w;
  }
  return masks;
}

}  // namespace

size_t PackSparse(absl::Span<const uint8_t> bytes, uint8_t* out) {
  const size_t words = bytes.size() / kWord;
  const size_t mask_bytes = (words + kWords - 1) / kWords;
  uint8_t* to = out + 2 * mask_bytes;
  const uint8_t* from = bytes.data();
  for (size_t i = 0; i < mask_bytes; ++i, from += kBlock) {
    Masks masks;
    if (i == words / kWords) {
      masks = Sort(from, words % kWords, &to);
    } else if (IsAll(from, UINT64_MAX)) {
      masks.ones = 0xFF;
    } else if (!IsAll(from, 0)) {
      masks = Sort(from, kWords, &to);
    }
    out[i] = static_cast<uint8_t>(masks.ones);
    out[mask_bytes + i] = static_cast<uint8_t>(masks.others);
  }
  for (size_t i = words * kWord; i < bytes.size(); ++i) *to++ = bytes[i];
  return static_cast<size_t>(to - out);
}

bool UnpackSparse(absl::Span<const uint8_t> sparse, absl::Span<uint8_t> out) {
  const size_t words = out.size() / kWord;
  const size_t mask_bytes = (words + kWords - 1) / kWords;
  if (sparse.size() < 2 * mask_bytes) return false;
  const uint8_t* from = sparse.data() + 2 * mask_bytes;
  size_t left = sparse.size() - 2 * mask_bytes;
  uint8_t* to = out.data();
  for (size_t i = 0; i < mask_bytes; ++i) {
    const size_t count = i < words / kWords ? kWords : words % kWords;
    const uint32_t ones = sparse[i];
    const uint32_t others = sparse[mask_bytes + i];
    const size_t taken = kBits[others] * kWord;
    if ((ones & others) != 0 || (ones | others) >> count != 0 || left < taken) {
      return false;
    }
    if (others == 0 && (ones == 0 || (ones == 0xFF && count == kWords))) {
      std::memset(to, ones == 0 ? 0 : 0xFF, count * kWord);
    } else if (count == kWords && left >= kBlock) {
      // Without a branch a word, which edges would send the wrong way: a word
      // is read in any case, and there are enough left to read.
      const uint8_t* next = from;
      for (size_t w = 0; w < kWords; ++w) {
        uint32_t word;
        std::memcpy(&word, next, kWord);
        const uint32_t other = 0 - (others >> w & 1U);
        word = (word & other) | (0 - (ones >> w & 1U));
        next += kWord & other;
        std::memcpy(to + w * kWord, &word, kWord);
      }
    } else {
      const uint8_t* next = from;
      for (size_t w = 0; w < count; ++w) {
        uint32_t word = 0 - (ones >> w & 1U);
        if ((others >> w & 1U) != 0) {
          std::memcpy(&word, next, kWord);
          next += kWord;
        }
        std::memcpy(to + w * kWord, &word, kWord);
      }
    }
    from += taken;
    left -= taken;
    to += count * kWord;
  }
  if (left != out.size() % kWord) return false;
  // An empty span may have no address, which memcpy must not be given.
  if (left > 0) std::memcpy(to, from, left);
  return true;
}

}  // namespace inkstream::transport

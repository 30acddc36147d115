#include "server/store/strokes/prefix_code.h"

#include <algorithm>
#include <cstddef>

namespace inkstream::store {
namespace {

// A coin of package merge: its weight, and how often each symbol is in it.
struct Package {
  uint64_t weight;
  std::vector<uint8_t> symbols;
};

}  // namespace

std::vector<uint8_t> OptimalCodeLengths(absl::Span<const uint32_t> counts,
                                        int max_bits) {
  std::vector<Package> leaves;
  for (size_t s = 0; s < counts.size(); ++s) {
    leaves.push_back(
        {std::max<uint64_t>(counts[s], 1), {static_cast<uint8_t>(s)}});
  }
  const auto lighter = [](const Package& a, const Package& b) {
    return a.weight < b.weight;
  };
  // Stable sorts: ties fall by symbol, on every platform.
  std::stable_sort(leaves.begin(), leaves.end(), lighter);
  std::vector<Package> level = leaves;
  for (int bit = 1; bit < max_bits; ++bit) {
    std::vector<Package> next = leaves;
    for (size_t i = 0; i + 1 < level.size(); i += 2) {
      Package pair = level[i];
      pair.weight += level[i + 1].weight;
      pair.symbols.insert(pair.symbols.end(), level[i + 1].symbols.begin(),
                          level[i + 1].symbols.end());
      next.push_back(std::move(pair));
    }
    std::stable_sort(next.begin(), next.end(), lighter);
    level = std::move(next);
  }
  std::vector<uint8_t> lengths(counts.size(), 0);
  for (size_t i = 0; i < 2 * counts.size() - 2; ++i) {
    for (const uint8_t s : level[i].symbols) ++lengths[s];
  }
  return lengths;
}

bool IsCompleteCode(absl::Span<const uint8_t> lengths, int max_bits) {
  uint64_t used = 0;
  for (const uint8_t length : lengths) {
    if (length < 1 || length > max_bits) return false;
    used += uint64_t{1} << (max_bits - length);
  }
  return used == uint64_t{1} << max_bits;
}

std::vector<uint16_t> CanonicalCodes(absl::Span<const uint8_t> lengths) {
  std::vector<uint16_t> codes(lengths.size());
  uint32_t code = 0;
  for (int length = 1; length <= 16; ++length) {
    code <<= 1;
    for (size_t s = 0; s < lengths.size(); ++s) {
      if (lengths[s] == length) codes[s] = static_cast<uint16_t>(code++);
    }
  }
  return codes;
}

uint16_t ReversedBits(uint16_t code, int bits) {
  uint16_t reversed = 0;
  for (int i = 0; i < bits; ++i) {
    reversed = static_cast<uint16_t>(reversed << 1 | ((code >> i) & 1));
  }
  return reversed;
}

}  // namespace inkstream::store

// Length-limited canonical prefix (Huffman) codes of small alphabets.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace inkstream::store {

// Code lengths, 1..max_bits, that minimise the coded size of `counts` (package
// merge). A count of zero is taken as one, so every symbol has a code.
// REQUIRES: 2 <= counts.size() <= 2^max_bits.
std::vector<uint8_t> OptimalCodeLengths(absl::Span<const uint32_t> counts,
                                        int max_bits);

// True if the lengths are those of a complete prefix code: no bits remain that
// decode to nothing.
bool IsCompleteCode(absl::Span<const uint8_t> lengths, int max_bits);

// Canonical codes, most significant bit first: shorter before longer, then by
// symbol. REQUIRES: IsCompleteCode(lengths).
std::vector<uint16_t> CanonicalCodes(absl::Span<const uint8_t> lengths);

// The lowest `bits` bits of `code`, last first.
uint16_t ReversedBits(uint16_t code, int bits);

}  // namespace inkstream::store

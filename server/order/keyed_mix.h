// The integer mixing that every keyed choice of this room is made of.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>

namespace inkstream::order {

__extension__ using Uint128 = unsigned __int128;

inline constexpr uint64_t kGolden = 0x9E3779B97F4A7C15U;
inline constexpr uint64_t kMultiplier1 = 0xBF58476D1CE4E5B9U;
inline constexpr uint64_t kMultiplier2 = 0x94D049BB133111EBU;

// The finaliser of SplitMix64: a bijection in which every input bit flips every
// output bit with probability 1/2.
constexpr uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30U)) * kMultiplier1;
  x = (x ^ (x >> 27U)) * kMultiplier2;
  return x ^ (x >> 31U);
}

// A key of two: a bijection in each.
constexpr uint64_t Derive(uint64_t key, uint64_t number) {
  return Mix((Mix(key + kGolden) ^ number) + kGolden);
}

// High half of the product: a number in [0, b) for a uniform `a`.
constexpr uint64_t MultiplyHigh(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((static_cast<Uint128>(a) * b) >> 64U);
}

}  // namespace inkstream::order

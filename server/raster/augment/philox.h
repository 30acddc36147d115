// Philox4x32-7 of Salmon, Moraes, Dror and Shaw (2011): 128 random bits as a
// function of a counter and a key. No state, so any order; integers only, so
// the same on every machine. Seven rounds are the fewest that pass all of
// TestU01; ten would take 3 % of a 28x28 image's time more. `point_kernel`
// draws the same numbers many at once.
//
// Thread safety: pure functions.
#pragma once

#include <array>
#include <cstdint>

namespace inkstream::raster {

using PhiloxBlock = std::array<uint32_t, 4>;

struct PhiloxKey {
  uint32_t first = 0;
  uint32_t second = 0;
};

inline constexpr int kPhiloxRounds = 7;
inline constexpr uint32_t kPhiloxFactor0 = 0xD2511F53U;
inline constexpr uint32_t kPhiloxFactor1 = 0xCD9E8D57U;
inline constexpr uint32_t kPhiloxStep0 = 0x9E3779B9U;
inline constexpr uint32_t kPhiloxStep1 = 0xBB67AE85U;

// What each round takes from the key, in the low halves: vectors of 64-bit
// lanes load them as they are.
class PhiloxRounds {
 public:
  constexpr PhiloxRounds() : PhiloxRounds(PhiloxKey()) {}
  constexpr explicit PhiloxRounds(PhiloxKey key) {
    for (int round = 0; round < kPhiloxRounds; ++round) {
      first_[round] = key.first;
      second_[round] = key.second;
      key.first += kPhiloxStep0;
      key.second += kPhiloxStep1;
    }
  }
  constexpr uint64_t first(int round) const { return first_[round]; }
  constexpr uint64_t second(int round) const { return second_[round]; }

 private:
  uint64_t first_[kPhiloxRounds] = {};
  uint64_t second_[kPhiloxRounds] = {};
};

constexpr PhiloxBlock Philox(PhiloxBlock counter, const PhiloxRounds& rounds) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t p0 = uint64_t{kPhiloxFactor0} * counter[0];
    const uint64_t p1 = uint64_t{kPhiloxFactor1} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32U) ^ counter[1] ^
                   static_cast<uint32_t>(rounds.first(round)),
               static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32U) ^ counter[3] ^
                   static_cast<uint32_t>(rounds.second(round)),
               static_cast<uint32_t>(p0)};
  }
  return counter;
}
constexpr PhiloxBlock Philox(PhiloxBlock counter, PhiloxKey key) {
  return Philox(counter, PhiloxRounds(key));
}

}  // namespace inkstream::raster

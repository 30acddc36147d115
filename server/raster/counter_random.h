// Random numbers as a function of a key and a counter: no state, any order.
//
// The finaliser is that of SplitMix64 applied twice with two key words between;
// integers only, so the same on every machine.
// Thread safety: immutable after construction.
#pragma once

#include <cstdint>

namespace inkstream::raster {

class CounterRandom {
 public:
  // A key of several numbers; every one of them changes all of the output.
  template <typename... Words>
  explicit CounterRandom(Words... words) {
    ((Absorb(static_cast<uint64_t>(words))), ...);
  }

  uint64_t Bits(uint64_t counter) const {
    return Mix(Mix(low_ + counter * kGolden) ^ high_);
  }

  // [0, 1), a multiple of 2^-24.
  float Uniform(uint64_t counter) const { return UnitFloat(Bits(counter)); }

  float Between(float low, float high, uint64_t counter) const {
    return low + (high - low) * Uniform(counter);
  }

  bool Chance(float probability, uint64_t counter) const {
    return Uniform(counter) < probability;
  }

  // [0, bound) for bound <= 2^32, by multiplication.
  uint64_t Below(uint64_t bound, uint64_t counter) const {
    return ((Bits(counter) >> 32U) * bound) >> 32U;
  }

 private:
  static constexpr uint64_t kGolden = 0x9E3779B97F4A7C15ULL;

  static uint64_t Mix(uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

  static float UnitFloat(uint64_t bits) {
    return static_cast<float>(bits >> 40U) * 0x1p-24F;
  }

  void Absorb(uint64_t word) {
    low_ = Mix(low_ + word + kGolden);
    high_ = Mix(high_ ^ (low_ + 0x632BE59BD9B4E019ULL));
  }

  uint64_t low_ = 0x243F6A8885A308D3ULL;
  uint64_t high_ = 0x13198A2E03707344ULL;
};

}  // namespace inkstream::raster

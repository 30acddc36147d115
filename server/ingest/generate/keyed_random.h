// Random numbers as a function of a key: the same on every thread and machine.
//
// Thread safety: one object a thread; plain value.
#pragma once

#include <cstdint>

namespace inkstream::ingest {

// A 64-bit finaliser: every input bit changes every output bit.
constexpr uint64_t Mix(uint64_t value) {
  value ^= value >> 30U;
  value *= 0xBF58476D1CE4E5B9ULL;
  value ^= value >> 27U;
  value *= 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

class KeyedRandom {
 public:
  KeyedRandom(uint64_t seed, uint64_t index)
      : state_(Mix(Mix(seed + kStep) ^ (index * kStep))) {}

  uint64_t Next() { return Mix(state_ += kStep); }

  // [0, 1), a multiple of 2^-53.
  double Unit() { return static_cast<double>(Next() >> 11U) * 0x1.0p-53; }

  // [low, high).
  double Between(double low, double high) {
    return low + (high - low) * Unit();
  }

  // 0..count-1. REQUIRES: count > 0.
  uint32_t Below(uint32_t count) {
    return static_cast<uint32_t>((Next() >> 32U) * count >> 32U);
  }

  bool Chance(double probability) { return Unit() < probability; }

  // Mean 0, deviation about 1, never beyond 3: a sum of uniforms is round
  // enough for a hand, and exact on every machine.
  double Bell() {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += Unit();
    return (sum - 2) * kBellScale;
  }

 private:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15ULL;
  static constexpr double kBellScale = 1.5;

  uint64_t state_;
};

}  // namespace inkstream::ingest

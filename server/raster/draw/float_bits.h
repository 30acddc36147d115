// The bits of narrow floating-point numbers.
//
// Thread safety: pure functions.
#pragma once

#include <bit>
#include <cstdint>

namespace inkstream::raster {

// IEEE binary16, rounded to nearest even; beyond 65504 plus half a step:
// infinite.
inline uint16_t Float16Bits(float value) {
  const uint32_t single = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (single >> 16U) & 0x8000U;
  const uint32_t magnitude = single & 0x7FFFFFFFU;
  uint32_t bits;
  if (magnitude >= 0x47800000U) {  // too large, infinite or not a number
    bits = magnitude > 0x7F800000U ? 0x7E00U : 0x7C00U;
  } else if (magnitude < 0x38800000U) {  // subnormal: scaled by the adder
    bits = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) -
           0x3F000000U;
  } else {
    const uint32_t odd = (magnitude >> 13U) & 1U;
    bits = (magnitude - 0x38000000U + 0xFFFU + odd) >> 13U;
  }
  return static_cast<uint16_t>(sign | bits);
}

// The upper half of a float32, rounded to nearest even.
inline uint16_t BFloat16Bits(float value) {
  const uint32_t single = std::bit_cast<uint32_t>(value);
  if ((single & 0x7FFFFFFFU) > 0x7F800000U) return 0x7FC0U;  // not a number
  const uint32_t odd = (single >> 16U) & 1U;
  return static_cast<uint16_t>((single + 0x7FFFU + odd) >> 16U);
}

}  // namespace inkstream::raster

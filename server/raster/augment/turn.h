// Sine and cosine, which library functions give with another last bit on other
// machines.
//
// Thread safety: pure function.
#pragma once

#include <bit>
#include <cstdint>

namespace inkstream::raster {

struct Turn {
  float sine;
  float cosine;
};

// Of an angle in degrees, |degrees| <= 360, to about 1e-7: quarter turns are
// taken out, the rest, at most 45 degrees, is taken by series.
inline Turn TurnOf(float degrees) {
  // Adding this leaves the nearest integer in the low bits.
  constexpr float kRound = 12582912.0F;
  const float shifted = degrees * (1.0F / 90.0F) + kRound;
  const auto quarters = std::bit_cast<uint32_t>(shifted);
  const float r =
      (degrees - 90.0F * (shifted - kRound)) * (3.14159265358979323846F / 180);
  const float s = r * r;
  // Not by Horner's rule, in which every step waits for the last.
  const float s2 = s * s;
  const float rs = r * s;
  const float sine = r + rs * ((-1.0F / 6 + s * (1.0F / 120)) +
                               s2 * (-1.0F / 5040 + s * (1.0F / 362880)));
  const float cosine =
      (1.0F - s * 0.5F) + s2 * ((1.0F / 24 - s * (1.0F / 720)) +
                                s2 * (1.0F / 40320 - s * (1.0F / 3628800)));
  // No branches: of a range of a whole turn, each quarter comes as often.
  const bool odd = (quarters & 1U) != 0;
  const auto sine_bits = std::bit_cast<uint32_t>(odd ? cosine : sine);
  const auto cosine_bits = std::bit_cast<uint32_t>(odd ? sine : cosine);
  return {std::bit_cast<float>(sine_bits ^ (quarters & 2U) << 30U),
          std::bit_cast<float>(cosine_bits ^ ((quarters + 1) & 2U) << 30U)};
}

}  // namespace inkstream::raster

#include "server/order/integer_power.h"

#include <array>
#include <bit>
#include <cmath>

#include "server/order/keyed_mix.h"

namespace inkstream::order {
namespace {

constexpr int kBits = 32;  // of the fraction of logarithms

uint64_t SquareRoot(Uint128 x) {
  uint64_t root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    const uint64_t next = root | (uint64_t{1} << bit);
    if (static_cast<Uint128>(next) * next <= x) root = next;
  }
  return root;
}

// log2(n) * 2^32: squaring doubles a logarithm, so each square's size tells one
// more bit of it.
uint64_t Log2Q32(uint64_t n) {
  const int whole = std::bit_width(n) - 1;
  uint64_t mantissa = n << (63 - whole);  // [1, 2) * 2^63
  uint64_t log = static_cast<uint64_t>(whole);
  for (int i = 0; i < kBits; ++i) {
    const Uint128 square = (static_cast<Uint128>(mantissa) * mantissa) >> 63;
    const uint64_t bit = static_cast<uint64_t>(square >> 64);
    mantissa = static_cast<uint64_t>(square >> bit);
    log = 2 * log + bit;
  }
  return log;
}

// 2^(log / 2^32) * 2^32. REQUIRES: log < 64 * 2^32.
Uint128 Exp2Q32(uint64_t log) {
  // Entry i: 2^(2^-(i+1)) * 2^63.
  static const std::array<uint64_t, kBits> roots = [] {
    std::array<uint64_t, kBits> table{};
    Uint128 next = static_cast<Uint128>(1) << 127;  // 2 * 2^126
    for (uint64_t& root : table) {
      root = SquareRoot(next);
      next = static_cast<Uint128>(root) << 63;
    }
    return table;
  }();
  uint64_t value = uint64_t{1} << 63;
  for (int i = 0; i < kBits; ++i) {
    if (((log >> (kBits - 1 - i)) & 1U) == 0) continue;
    value =
        static_cast<uint64_t>((static_cast<Uint128>(value) * roots[i]) >> 63);
  }
  const int whole = static_cast<int>(log >> kBits);
  return (static_cast<Uint128>(value) << whole) >> 31;
}

}  // namespace

Uint128 PowerQ32(uint64_t n, double alpha) {
  if (alpha == 0) return uint64_t{1} << 32;
  if (alpha == 1) return static_cast<Uint128>(n) << 32;
  const uint64_t exponent =
      static_cast<uint64_t>(std::ldexp(alpha, kBits) + 0.5);
  return Exp2Q32(static_cast<uint64_t>(
      (static_cast<Uint128>(Log2Q32(n)) * exponent) >> kBits));
}

}  // namespace inkstream::order

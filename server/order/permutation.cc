// A Feistel network over two radices instead of two bit fields, with cycle
// walking.
//
//   left  = ceil(sqrt(size)), rounded up to even; right = ceil(size / left)
//   position = l * right + r
//   each pair of rounds:  l = (l + F(key, r, left))  mod left
//                         r = (r + F(key, l, right)) mod right
//   while the result is >= size: again
//
// Each round can be undone, so the network is a bijection of [0, left * right)
// for any F. An even radix is needed because a rotation of an odd number of
// values is an even permutation: with both odd, half of all orders could never
// come up. Walking along the cycle until a value lies in [0, size) restricts
// it to a bijection of [0, size). left * right < size + left, hence a second
// walk is needed once in about sqrt(size) positions; a domain of 2^bits would
// need up to one for every position and mispredict the branch.

#include "server/order/permutation.h"

#include "server/order/keyed_mix.h"

namespace inkstream::order {
namespace {

// The round function: a number in [0, radix) from the top bits of a keyed mix.
// The low bits, which a product mixes least, do not reach the result.
inline uint64_t Round(uint64_t key, uint64_t half, uint64_t radix) {
  uint64_t x = (half ^ key) * kMultiplier1;
  x = (x ^ (x >> 32U)) * kMultiplier2;
  return MultiplyHigh(x, radix);
}

inline uint64_t AddModulo(uint64_t a, uint64_t b, uint64_t radix) {
  const uint64_t sum = a + b;
  return sum >= radix ? sum - radix : sum;
}

// Smallest r with r * r >= x, for 1 <= x <= 2^63.
uint64_t CeilSqrt(uint64_t x) {
  uint64_t low = 1;
  uint64_t high = uint64_t{1} << 32U;
  while (low < high) {
    const uint64_t middle = (low + high) / 2;
    if (middle * middle >= x) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace

Permutation::Permutation(uint64_t size, uint64_t seed, uint64_t epoch)
    : size_(size),
      left_((CeilSqrt(size) + 1) / 2 * 2),
      right_((size + left_ - 1) / left_),
      right_reciprocal_(
          right_ == 1 ? 0
                      : static_cast<uint64_t>((Uint128{1} << 64U) / right_)),
      pairs_(size < kSmall ? kPairsSmall : kPairs),
      keys_{} {
  // Each argument is absorbed by a bijection: two seeds never share an epoch's
  // keys, nor two epochs of one seed.
  uint64_t state = Mix(size + kGolden);
  state = Mix(state ^ seed);
  state = Mix(state + kGolden) ^ epoch;
  state = Mix(state + kGolden);
  for (uint64_t& key : keys_) {
    state += kGolden;
    key = Mix(state);
  }
}

uint64_t Permutation::Encrypt(uint64_t value) const {
  // value / right by a reciprocal that is at most one too small.
  uint64_t l = right_ == 1 ? value : MultiplyHigh(value, right_reciprocal_);
  uint64_t r = value - l * right_;
  if (r >= right_) {
    r -= right_;
    ++l;
  }
  for (int i = 0; i < pairs_; ++i) {
    l = AddModulo(l, Round(keys_[2 * i], r, left_), left_);
    r = AddModulo(r, Round(keys_[2 * i + 1], l, right_), right_);
  }
  return l * right_ + r;
}

uint64_t Permutation::operator()(uint64_t position) const {
  uint64_t value = position;
  do {
    value = Encrypt(value);
  } while (value >= size_);
  return value;
}

}  // namespace inkstream::order

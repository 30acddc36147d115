// Chance by content: whether a drawing belongs to a random part of a view.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>

#include "server/order/keyed_mix.h"

namespace inkstream::order {

// Uniform over 64 bits; independent of the split hash's own order, in which
// splits, slices and folds are cut. Part of the contract: see README.md.
constexpr uint64_t SampleHash(uint64_t split_hash) {
  return Mix(split_hash ^ kGolden);
}

}  // namespace inkstream::order

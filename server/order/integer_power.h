// n^alpha in integers: pow() may differ in its last bit between C libraries,
// and an order must not.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>

#include "server/order/keyed_mix.h"

namespace inkstream::order {

// n^alpha * 2^32, cut off. REQUIRES: 1 <= n < 2^63, 0 <= alpha <= 1. Exact for
// alpha 0 and 1; else within 1e-7 of the value.
Uint128 PowerQ32(uint64_t n, double alpha);

}  // namespace inkstream::order

// How the positions of an epoch are shared out among components: classes, or
// the views of a mix. Integers alone decide, so that every platform comes to
// the same numbers.
//
// Thread safety: plain value.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "inkstream/order_spec.h"
#include "server/order/weight_slots.h"

namespace inkstream::order {

struct Mixture {
  static constexpr size_t kMaxComponents = 65536;

  std::vector<uint64_t> sizes;   // drawings of each component
  std::vector<uint64_t> quotas;  // positions an epoch of each; sum: size
  uint64_t size = 0;             // positions of an epoch
  // Of one component whose drawings have a weight each; else null.
  std::shared_ptr<const WeightSlots> slots = nullptr;

  // Everything once: one component.
  static Mixture Uniform(uint64_t size) { return {{size}, {size}, size}; }
  // One component, each drawing by its weight.
  static Mixture ByDrawing(std::shared_ptr<const WeightSlots> slots) {
    const uint64_t size = slots->size();
    return {{size}, {size}, size, std::move(slots)};
  }

  // Quotas proportional to the weights, rounded by largest remainder (of equal
  // ones the first component's). `size` is the sum of the sizes of those with a
  // weight; a component without drawings has none. INVALID_ARGUMENT: alpha not
  // in [0, 1], weights negative, not finite, all 0 or not one a component, or
  // no component with drawings.
  static absl::StatusOr<Mixture> Create(const Sampling& sampling,
                                        std::vector<uint64_t> sizes);
};

}  // namespace inkstream::order

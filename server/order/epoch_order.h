// Position in an epoch -> rank of a drawing in its view.
//
// Thread safety: immutable after construction.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/order/permutation.h"

namespace inkstream::order {

class EpochOrder {
 public:
  // `size`: drawings in the view, >= 1. UNIMPLEMENTED-free: a shuffle that is
  // not offered is INVALID_ARGUMENT naming those that are.
  static absl::StatusOr<EpochOrder> Create(const OrderSpec& spec, uint64_t size,
                                           uint64_t epoch);

  // REQUIRES: position < size().
  uint64_t RankAt(uint64_t position) const;

  uint64_t size() const { return size_; }

 private:
  EpochOrder(uint64_t size, std::optional<Permutation> permutation)
      : size_(size), permutation_(permutation) {}

  uint64_t size_;
  std::optional<Permutation> permutation_;
};

}  // namespace inkstream::order

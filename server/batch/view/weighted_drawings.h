// The drawings of a view that have a weight, and how the slots of an epoch are
// shared out among them.
//
// Thread safety: immutable after construction. Holds no store open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batch/view/rank_select.h"
#include "server/batch/view/resolved_view.h"
#include "server/batch/view/weight_set.h"
#include "server/order/weight_slots.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

class WeightedDrawings {
 public:
  // By two scans of the store, on up to `threads` threads; `admit` is asked
  // before so many bytes are allocated. INVALID_ARGUMENT: a name that no
  // drawing of the store has, or no drawing of the view has a weight.
  static absl::StatusOr<std::shared_ptr<const WeightedDrawings>> Create(
      const store::StoreReader& store, const ResolvedView& view,
      const WeightSet& weights, int threads,
      const std::function<absl::Status(size_t bytes)>& admit);

  const std::shared_ptr<const order::WeightSlots>& slots() const {
    return slots_;
  }
  // Store index of the `rank`-th drawing with a weight.
  uint64_t IndexOf(uint64_t rank) const { return members_.Select(rank); }

  size_t bytes() const { return members_.bytes() + slots_->bytes(); }

 private:
  WeightedDrawings(RankSelect members,
                   std::shared_ptr<const order::WeightSlots> slots);

  RankSelect members_;
  std::shared_ptr<const order::WeightSlots> slots_;
};

}  // namespace inkstream::batch

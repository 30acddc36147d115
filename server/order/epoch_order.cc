#include "server/order/epoch_order.h"

#include "absl/strings/str_cat.h"

namespace inkstream::order {

absl::StatusOr<EpochOrder> EpochOrder::Create(const OrderSpec& spec,
                                              uint64_t size, uint64_t epoch) {
  if (size == 0) {
    return absl::InvalidArgumentError("the view has no drawings to order");
  }
  if (size > Permutation::kMaxSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the view has ", size, " drawings; at most 2^63 can be ordered"));
  }
  switch (spec.shuffle) {
    case ShuffleKind::kFull:
      return EpochOrder(size, Permutation(size, spec.seed, epoch));
    case ShuffleKind::kNone:
      return EpochOrder(size, std::nullopt);
    case ShuffleKind::kWindow:
      return absl::InvalidArgumentError(absl::StrCat(
          "order.shuffle = \"window:", spec.shuffle_window,
          "\" is not offered by this server; offered: \"full\", \"none\""));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("order.shuffle = ", static_cast<int>(spec.shuffle),
                   " is not known; offered: \"full\", \"none\""));
}

uint64_t EpochOrder::RankAt(uint64_t position) const {
  return permutation_.has_value() ? (*permutation_)(position) : position;
}

}  // namespace inkstream::order

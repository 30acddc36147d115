// Position in an epoch -> component, rank of a drawing in it, occurrence.
//
// Thread safety: const methods from any thread; a copy shares what it holds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "inkstream/order_spec.h"
#include "server/order/mix_schedule.h"
#include "server/order/mixture.h"
#include "server/order/permutation.h"
#include "server/order/window_shuffle.h"

namespace inkstream::order {

// What stands at one position.
struct Pick {
  uint32_t component = 0;
  uint64_t rank = 0;  // of the drawing in its component
  // How often it came before in this epoch; of drawings with a weight each, a
  // number of its own for each time that it comes.
  uint64_t occurrence = 0;

  bool operator==(const Pick&) const = default;
};

class EpochOrder {
 public:
  // INVALID_ARGUMENT: a window of 0, or a mixture without drawings.
  static absl::StatusOr<EpochOrder> Create(
      const OrderSpec& spec, std::shared_ptr<const Mixture> mixture,
      uint64_t epoch);
  // Of one component with `size` drawings, each once.
  static absl::StatusOr<EpochOrder> Create(const OrderSpec& spec, uint64_t size,
                                           uint64_t epoch);

  // out[i] is for position (first + i) % size(). In a mix of several views a
  // drawing can be in more than one of them; occurrences count per view.
  void PicksFrom(uint64_t first, absl::Span<Pick> out) const;

  // REQUIRES: position < size().
  uint64_t RankAt(uint64_t position) const;

  uint64_t size() const { return mixture_->size; }

 private:
  using Shuffle = std::variant<std::monostate, Permutation, WindowShuffle>;

  EpochOrder(const OrderSpec& spec, std::shared_ptr<const Mixture> mixture,
             uint64_t epoch);

  Shuffle MakeShuffle(uint64_t size, uint64_t seed) const;
  static uint64_t Apply(const Shuffle& shuffle, uint64_t position,
                        WindowShuffle::Memo* memo);
  Pick PickAt(uint64_t position, WindowShuffle::Memo* memo) const;

  ShuffleKind kind_;
  uint64_t window_;
  uint64_t seed_;
  uint64_t epoch_;
  std::shared_ptr<const Mixture> mixture_;
  uint64_t phase_ = 0;                           // of mixture_->slots
  std::shared_ptr<const MixSchedule> schedule_;  // null: one component
  // Of each component's first pass.
  std::shared_ptr<const std::vector<Shuffle>> shuffles_;
};

}  // namespace inkstream::order

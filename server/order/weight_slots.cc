#include "server/order/weight_slots.h"

#include <algorithm>
#include <utility>

#include "server/order/keyed_mix.h"

namespace inkstream::order {
namespace {

constexpr uint64_t kPhaseKey = 6;

}  // namespace

WeightSlots::WeightSlots(std::vector<uint32_t> weights)
    : weights_(std::move(weights)) {
  const uint64_t blocks = (size() + kBlock - 1) / kBlock;
  before_.reserve(blocks + 1);
  uint64_t total = 0;
  for (uint64_t i = 0; i < size(); ++i) {
    if (i % kBlock == 0) before_.push_back(total);
    total += weights_[i];
  }
  before_.push_back(total);
  guide_.reserve(blocks + 1);
  uint32_t block = 0;
  for (uint64_t slot = 0; slot < size(); slot += kBlock) {
    const auto point =
        static_cast<uint64_t>(static_cast<Uint128>(slot) * total / size());
    while (before_[block + 1] <= point) ++block;
    guide_.push_back(block);
  }
  guide_.push_back(static_cast<uint32_t>(blocks - 1));
}

uint64_t WeightSlots::PhaseOf(uint64_t seed, uint64_t epoch) const {
  return MultiplyHigh(Derive(Derive(seed, epoch), kPhaseKey), before_.back());
}

WeightSlots::Drawn WeightSlots::At(uint64_t slot, uint64_t phase) const {
  const uint64_t total = before_.back();
  // In units of 1 / size() of a weight's, so that nothing is rounded.
  const Uint128 place = static_cast<Uint128>(slot) * total + phase;
  const auto point = static_cast<uint64_t>(place / size());
  // The phase is less than a slot's distance: the block is one of those from
  // this run of slots' first to the next one's.
  const auto first = before_.begin() + guide_[slot / kBlock] + 1;
  const auto last = before_.begin() + guide_[slot / kBlock + 1] + 1;
  const uint64_t block =
      std::upper_bound(first, last, point) - before_.begin() - 1;
  uint64_t rank = block * kBlock;
  uint64_t begin = before_[block];
  while (point - begin >= weights_[rank]) begin += weights_[rank++];
  // Slots whose place is at the drawing's beginning or behind it.
  const Uint128 own = static_cast<Uint128>(begin) * size();
  const Uint128 since = place - std::max<Uint128>(own, phase);
  return {rank, static_cast<uint64_t>(since / total)};
}

}  // namespace inkstream::order

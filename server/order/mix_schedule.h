// Position in an epoch -> which component it is for, and the how-manieth
// position of that component: an even spread of the quotas, in blocks whose
// insides are shuffled.
//
// Up to any block's end, each component has had its share of the positions to
// within one. README.md gives the algorithm.
//
// Thread safety: const methods from any thread. Holds the last few blocks; any
// other costs O(components) to make.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "server/order/mixture.h"

namespace inkstream::order {

class MixSchedule {
 public:
  struct Turn {
    uint32_t component;
    uint64_t turn;  // of this component, from 0: positions before this one

    bool operator==(const Turn&) const = default;
  };

  // A different spread for each (seed, epoch).
  MixSchedule(std::shared_ptr<const Mixture> mixture, uint64_t seed,
              uint64_t epoch);

  // REQUIRES: position < size().
  Turn At(uint64_t position) const;

  uint64_t size() const { return mixture_->size; }
  uint64_t block_size() const { return block_size_; }

 private:
  using Block = std::vector<Turn>;
  static constexpr size_t kKept = 4;  // blocks

  // Turns of `component` at times 0..time, time in [0, size()].
  uint64_t TurnsUpTo(size_t component, uint64_t time) const;
  // The first time that has more than `turn` turns of `component`.
  uint64_t TimeOf(size_t component, uint64_t turn) const;
  uint64_t AllTurnsUpTo(uint64_t time) const;
  std::shared_ptr<const Block> BlockOf(uint64_t number) const;
  Block MakeBlock(uint64_t number) const;
  void Shuffle(uint64_t number, Block* block) const;

  const std::shared_ptr<const Mixture> mixture_;
  const uint64_t key_;
  const uint64_t block_size_;
  std::vector<uint64_t> phases_;  // below size(), one a component
  mutable std::mutex mu_;
  mutable std::vector<std::pair<uint64_t, std::shared_ptr<const Block>>>
      blocks_;
};

}  // namespace inkstream::order

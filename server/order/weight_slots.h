// A weight a drawing: which drawing each slot of an epoch is for.
//
// An epoch has as many slots as there are drawings. The weights lie end to end
// on a line, and the slots stand on it at even distances, all of them moved by
// one phase an epoch: of a weight w of all W a drawing has floor or ceil of
// size * w / W slots, its exact share on the mean over epochs, and with equal
// weights one slot each. README.md says how positions become slots.
//
// Thread safety: immutable after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace inkstream::order {

class WeightSlots {
 public:
  // One a drawing, in index order. REQUIRES: none is 0; at least one, fewer
  // than 2^32.
  explicit WeightSlots(std::vector<uint32_t> weights);

  uint64_t size() const { return weights_.size(); }  // drawings, and slots

  struct Drawn {
    uint64_t rank = 0;        // of the drawing
    uint64_t occurrence = 0;  // how many slots before this one are its own
  };
  // REQUIRES: slot < size(), phase from PhaseOf(). O(1) on the mean over slots.
  Drawn At(uint64_t slot, uint64_t phase) const;

  uint64_t PhaseOf(uint64_t seed, uint64_t epoch) const;

  size_t bytes() const {
    return 4 * weights_.capacity() + 8 * before_.size() + 4 * guide_.size();
  }
  // Memory for so many drawings.
  static size_t BytesOf(uint64_t drawings) {
    return 4 * drawings + 12 * (drawings / kBlock + 2);
  }

 private:
  static constexpr uint64_t kBlock = 64;

  std::vector<uint32_t> weights_;
  std::vector<uint64_t> before_;  // weight before each block, then all of it
  // The block that slot kBlock * i is in at phase 0, then the last block.
  std::vector<uint32_t> guide_;
};

}  // namespace inkstream::order

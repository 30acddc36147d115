// Where each drawing's block lies: dense arrays, filled once at open, so that
// a read costs two look-ups and never a walk over a tree.
//
// Thread safety: Add and Seal by one thread; const methods from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace inkstream::store {

struct BlockRef {
  absl::string_view bytes;  // in the map, checksum included
  uint32_t id;              // rank of the block in its segment
  uint32_t first;           // index in the segment
  uint32_t count;
};

class BlockTable {
 public:
  // `base`: the map that all blocks lie in.
  explicit BlockTable(const char* base) : base_(base) {}

  // Blocks in key order. DATA_LOSS: out of order or of an impossible size.
  absl::Status Add(uint32_t first, absl::string_view block);
  // `drawings`: in the segment. DATA_LOSS if the blocks cannot hold them.
  absl::Status Seal(uint64_t drawings);

  // REQUIRES: Seal succeeded, index < drawings.
  BlockRef Find(uint32_t index) const;
  BlockRef At(uint32_t id) const;
  uint32_t blocks() const { return static_cast<uint32_t>(starts_.size() - 1); }

 private:
  // One guess for this many drawings: a third of a usual block.
  static constexpr int kGuessBits = 4;

  const char* base_;
  std::vector<uint32_t> starts_;   // first index of each block, then the end
  std::vector<uint64_t> places_;   // offset << kSizeBits | size
  std::vector<uint32_t> guesses_;  // block of drawing i << kGuessBits
};

}  // namespace inkstream::store

// Packs records into blocks that fill LMDB's overflow pages.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace inkstream::store {

// A finished block: the value of the strokes database under key `first`.
struct Block {
  uint32_t first = 0;  // index in the segment
  uint32_t count = 0;
  std::string bytes;
};

class BlockWriter {
 public:
  // Adds the next record; those of raw drawings have blocks of their own.
  // Returns true if that finished a block (the record itself then begins the
  // next one): take it with TakeBlock.
  bool Add(absl::string_view record, bool raw = false);
  // The finished block, or at the end what is held (count 0: nothing).
  Block TakeBlock();
  Block TakeRest();

 private:
  void Finish();

  uint32_t first_ = 0;
  std::string records_;
  std::vector<uint32_t> lengths_;
  bool raw_ = false;
  size_t longs_ = 0;  // records of kLongRecord bytes or more
  Block finished_;
};

}  // namespace inkstream::store

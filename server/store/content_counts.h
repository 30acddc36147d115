// Counts of what went into a store, for its MANIFEST.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "inkstream/drawing.h"
#include "server/store/store_reader.h"

namespace inkstream::store {

class ContentCounts {
 public:
  explicit ContentCounts(std::vector<SplitInfo> splits);

  void Add(const Drawing& drawing, uint64_t split_hash);
  // Fills counts, classes and splits.
  void FillIn(StoreInfo* info) const;

 private:
  std::map<std::string, uint64_t> words_;  // as written
  uint64_t* last_count_ = nullptr;
  std::string last_word_;
  StoreInfo info_;
};

}  // namespace inkstream::store

// Drawings whose key_id an earlier drawing of the store has.
//
// Thread safety: function.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/generation/open_store.h"

namespace inkstream::store {

struct DuplicateKeys {
  uint64_t count = 0;
  std::vector<uint64_t> places;  // ascending; empty unless asked for
  // One of them.
  int64_t key_id = 0;
  uint64_t first_place = 0;
  uint64_t place = 0;
};

// Exact, in some `memory_bytes` (8 more for each duplicate that is listed):
// keys are sorted part by part, and of each part only those whose place in a
// bitmap is taken twice. `threads` work on a part each, with their share of the
// memory. RESOURCE_EXHAUSTED: too many to list.
constexpr uint64_t kMaxListedDuplicates = uint64_t{1} << 25;
absl::StatusOr<DuplicateKeys> FindDuplicateKeys(const OpenStore& store,
                                                uint64_t memory_bytes,
                                                bool list, int threads = 1);

}  // namespace inkstream::store

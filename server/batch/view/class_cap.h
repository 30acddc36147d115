// `max_per_class`: of each class, the drawings that come first by SampleHash;
// of equal hashes, those that come first in the store.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>
#include <vector>

#include "server/batch/view/view_scan.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

// Leaves at most `most` >= 1 drawings of each class in `view`; drawings without
// a class count as one more. `labels`: as in ViewFilter. Memory: 32 KiB a class
// and thread.
void CapClasses(const store::StoreReader& store,
                const std::vector<int32_t>& labels, uint64_t most, int threads,
                ScannedView* view);

}  // namespace inkstream::batch

// Joins contexts whose symbols are distributed alike, so that few codes serve
// many contexts (k-means in which distance is the coded size).
//
// Thread safety: pure function; integer arithmetic, so the same everywhere.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "server/store/strokes/stroke_symbols.h"

namespace inkstream::store {

using DeltaCounts = std::array<uint32_t, kDeltaSymbols>;

struct Clusters {
  std::vector<uint8_t> of_context;  // 0..kClusters-1
  std::array<DeltaCounts, kClusters> counts{};
};

// Contexts that never occurred get the cluster that suits all data best.
Clusters ClusterContexts(absl::Span<const DeltaCounts> contexts);

}  // namespace inkstream::store

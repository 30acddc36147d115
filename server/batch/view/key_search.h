// Finds drawings by their keys, which have no index: it would take 8 bytes a
// drawing, and a scan reads 4,096 keys at a time on all threads.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

inline constexpr uint64_t kNoSuchKey = ~uint64_t{0};

// The index of the first drawing with each key; kNoSuchKey: there is none.
// CANCELLED: `cancelled` has answered true; it is asked by all threads.
absl::StatusOr<std::vector<uint64_t>> FindKeys(
    const store::StoreReader& store, const std::vector<int64_t>& keys,
    int threads, const std::function<bool()>& cancelled);

}  // namespace inkstream::batch

#include "server/batch/view/key_search.h"

#include <algorithm>
#include <atomic>

#include "absl/container/flat_hash_map.h"
#include "server/batch/view/scan_threads.h"

namespace inkstream::batch {

absl::StatusOr<std::vector<uint64_t>> FindKeys(
    const store::StoreReader& store, const std::vector<int64_t>& keys,
    int threads, const std::function<bool()>& cancelled) {
  absl::flat_hash_map<int64_t, size_t> places;  // of different keys
  for (const int64_t key : keys) places.emplace(key, places.size());
  const uint64_t parts = ChunkParts(store.size(), threads);
  std::vector<std::vector<uint64_t>> found(
      parts, std::vector<uint64_t>(places.size(), kNoSuchKey));
  std::atomic<bool> given_up{false};
  ScanChunks(store.size(), parts, [&](uint64_t part) {
    return [&, part, missing = places.size(),
            values = std::vector<int64_t>(kScanChunk)](uint64_t first,
                                                       uint64_t count) mutable {
      if (missing == 0 || given_up) return;
      if (cancelled()) {
        given_up = true;
        return;
      }
      store.ReadColumn(store::StoreColumn::kKeyId, first,
                       absl::MakeSpan(values.data(), count));
      for (size_t i = 0; i < count; ++i) {
        const auto place = places.find(values[i]);
        if (place == places.end()) continue;
        uint64_t& index = found[part][place->second];
        if (index != kNoSuchKey) continue;
        index = first + i;
        --missing;
      }
    };
  });
  if (given_up) return absl::CancelledError("the search was given up");
  std::vector<uint64_t> indices;
  indices.reserve(keys.size());
  for (const int64_t key : keys) {
    const size_t place = places.at(key);
    uint64_t index = kNoSuchKey;
    for (const auto& part : found) index = std::min(index, part[place]);
    indices.push_back(index);
  }
  return indices;
}

}  // namespace inkstream::batch

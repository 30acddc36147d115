#include "server/batch/view/key_search.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "server/batch/view/scan_threads.h"

namespace inkstream::batch {
namespace {

constexpr size_t kChunk = 4096;          // keys read at once
constexpr uint64_t kChunksAThread = 64;  // a quarter of a million keys

}  // namespace

absl::StatusOr<std::vector<uint64_t>> FindKeys(
    const store::StoreReader& store, const std::vector<int64_t>& keys,
    int threads, const std::function<bool()>& cancelled) {
  absl::flat_hash_map<int64_t, size_t> places;  // of different keys
  for (const int64_t key : keys) places.emplace(key, places.size());
  const uint64_t chunks = (store.size() + kChunk - 1) / kChunk;
  const uint64_t parts = ScanParts(chunks, kChunksAThread, threads);
  std::vector<std::vector<uint64_t>> found(
      parts, std::vector<uint64_t>(places.size(), kNoSuchKey));
  std::atomic<bool> given_up{false};
  ScanInParts(chunks, parts, [&](uint64_t part, uint64_t begin, uint64_t end) {
    const auto values = std::make_unique<std::array<int64_t, kChunk>>();
    size_t missing = places.size();
    for (uint64_t chunk = begin; chunk < end && missing > 0; ++chunk) {
      if (given_up || cancelled()) {
        given_up = true;
        return;
      }
      const uint64_t first = chunk * kChunk;
      const size_t count = std::min<uint64_t>(kChunk, store.size() - first);
      store.ReadColumn(store::StoreColumn::kKeyId, first,
                       absl::MakeSpan(values->data(), count));
      for (size_t i = 0; i < count; ++i) {
        const auto place = places.find((*values)[i]);
        if (place == places.end()) continue;
        uint64_t& index = found[part][place->second];
        if (index != kNoSuchKey) continue;
        index = first + i;
        --missing;
      }
    }
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

// Runs a scan of many numbers, or of a store's columns, on several threads.
//
// Thread safety: pure function; it returns when all threads have ended.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <system_error>
#include <thread>
#include <vector>

namespace inkstream::batch {

// Parts that `threads` threads make of `items`: fewer where a thread would cost
// more than it saves.
inline uint64_t ScanParts(uint64_t items, uint64_t items_a_thread,
                          int threads) {
  return std::clamp<uint64_t>(items / items_a_thread, 1, std::max(1, threads));
}

// Calls scan(part, begin, end) for neighbouring ranges that make up [0, items),
// each on a thread of its own, the first on the caller's, and so are those for
// which this process may have no thread.
inline void ScanInParts(
    uint64_t items, uint64_t parts,
    const std::function<void(uint64_t, uint64_t, uint64_t)>& scan) {
  const auto run = [&](uint64_t part) {
    scan(part, items * part / parts, items * (part + 1) / parts);
  };
  std::vector<std::thread> helpers;
  uint64_t helped = 1;
  try {
    for (; helped < parts; ++helped) helpers.emplace_back(run, helped);
  } catch (const std::system_error&) {
    for (uint64_t part = helped; part < parts; ++part) run(part);
  }
  run(0);
  for (std::thread& helper : helpers) helper.join();
}

// Drawings whose columns are read at once: whole words of a bitmap, so that no
// two threads write the same one.
inline constexpr uint64_t kScanChunk = 4096;

// Parts that `threads` threads make of the chunks of so many drawings.
inline uint64_t ChunkParts(uint64_t drawings, int threads) {
  constexpr uint64_t kDrawingsAThread = 64 * kScanChunk;
  return ScanParts(drawings, kDrawingsAThread, threads);
}

// Calls begin(part) on the thread of each part, and what that returns with
// (first, count) for each chunk of the part.
template <typename Begin>
void ScanChunks(uint64_t drawings, uint64_t parts, const Begin& begin) {
  const uint64_t chunks = (drawings + kScanChunk - 1) / kScanChunk;
  ScanInParts(chunks, parts, [&](uint64_t part, uint64_t from, uint64_t to) {
    auto&& scan = begin(part);
    for (uint64_t chunk = from; chunk < to; ++chunk) {
      const uint64_t first = chunk * kScanChunk;
      scan(first, std::min(kScanChunk, drawings - first));
    }
  });
}

}  // namespace inkstream::batch

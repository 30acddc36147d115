// Runs a scan of many numbers on several threads.
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

}  // namespace inkstream::batch

// Reads everything in a store and recomputes what its MANIFEST claims.
//
// Thread safety: function; `interrupted` may be set from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace inkstream::store {

struct VerifyReport {
  uint64_t drawings = 0;  // read and found good
  uint64_t damaged = 0;
  uint64_t points = 0;
  uint64_t strokes = 0;
  uint64_t bytes_on_disk = 0;
  std::string fingerprint;  // recomputed; empty if a drawing is damaged
  // What is wrong, up to 100 lines. Empty: the store is good.
  std::vector<std::string> problems;
};

// Called now and then with drawings read so far and in all.
using VerifyProgress = std::function<void(uint64_t, uint64_t)>;

// An error as StoreReader::Open if the store does not open; CANCELLED once
// `*interrupted` (may be null) is true. Otherwise a report, whose `problems`
// tell whether the store is good.
absl::StatusOr<VerifyReport> VerifyStore(
    const std::string& path, const VerifyProgress& progress = nullptr,
    const std::atomic<bool>* interrupted = nullptr);

}  // namespace inkstream::store

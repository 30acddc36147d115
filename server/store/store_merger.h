// Several stores into one: segments copied byte for byte, in the order given.
//
// Thread safety: function; starts threads of its own and ends them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/store_writer.h"

namespace inkstream::store {

struct MergeOptions {
  Duplicates duplicates = Duplicates::kKeep;
  uint64_t memory_bytes = uint64_t{128} << 20;  // for sorting key_ids
  int threads = 1;
  // Called now and then with bytes copied so far and in all.
  std::function<void(uint64_t, uint64_t)> progress;
  const std::atomic<bool>* interrupted = nullptr;
};

// Makes the store `path` of `inputs`: their drawings one after another, as one
// ingest of all of it gives them. Answers the fingerprint. Nothing is left
// where it fails. INVALID_ARGUMENT: the splits' hash rules or the fixed classes
// differ, or as Duplicates. Otherwise as StoreReader::Open and
// StoreWriter::Create; CANCELLED: interrupted.
absl::StatusOr<std::string> MergeStores(const std::string& path,
                                        const std::vector<std::string>& inputs,
                                        const MergeOptions& options);

}  // namespace inkstream::store

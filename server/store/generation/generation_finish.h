// The last steps of a new generation, whose segments are all written: repeated
// key_ids, counts, fingerprint.
//
// Thread safety: function; starts threads of its own and ends them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/store/generation/manifest.h"
#include "server/store/store_writer.h"
#include "server/store/writing/content_counts.h"
#include "server/store/writing/fingerprint.h"

namespace inkstream::store {

struct GenerationParts {
  std::string path;                      // of the store, for messages
  std::vector<std::string> directories;  // of each segment of the manifest
  Duplicates duplicates = Duplicates::kKeep;
  uint64_t memory_bytes = 0;
  int threads = 1;
  // Drawings before this place are those of the generation before: they stay.
  uint64_t new_places = 0;
};

// Fills in what `manifest` lacks, given its segments, dropped runs and name.
// `counts`: of all its drawings. `fold`: of the same; nullptr: to be read.
// INVALID_ARGUMENT: repeated key_ids under Duplicates::kError.
absl::Status FinishGeneration(const GenerationParts& parts,
                              ContentCounts* counts, FingerprintFold* fold,
                              Manifest* manifest);

}  // namespace inkstream::store

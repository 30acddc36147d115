// A parsed chunk as bytes, for the journal of an ingest.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/ingest/drawing_format.h"

namespace inkstream::ingest {

// Where a chunk begins.
struct InputPlace {
  uint64_t file = 0;    // place in the list of inputs
  uint64_t offset = 0;  // in the decompressed input
  uint64_t line = 1;
  bool operator==(const InputPlace&) const = default;
};

struct JournalEntry {
  InputPlace place;
  uint64_t kept_before = 0;  // drawings of the job in front of this chunk
  ParsedChunk chunk;
  // Not a chunk but what all in front of it came to, without drawings.
  bool sum = false;
};

void AppendEntry(const JournalEntry& entry, std::string* out);

// DATA_LOSS: not the bytes of an entry.
absl::Status ParseEntry(absl::string_view bytes, JournalEntry* entry);

}  // namespace inkstream::ingest

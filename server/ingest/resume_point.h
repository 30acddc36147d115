// Where an interrupted ingest goes on: a place in its inputs, and what was
// reported of all in front of it. A store's CHECKPOINT keeps it as text.
//
// Thread safety: plain value; functions are pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inkstream::ingest {

struct IngestReport;

// Where a chunk begins.
struct InputPlace {
  uint64_t file = 0;    // place in the list of inputs
  uint64_t offset = 0;  // in the decompressed input
  uint64_t line = 1;
  bool operator==(const InputPlace&) const = default;
};

// Printable; `report` is of what stands in front of `place`.
std::string ResumePointText(const InputPlace& place,
                            const IngestReport& report);

// Fills in the counts of `report`. "": the beginning. DATA_LOSS: no such text.
absl::StatusOr<InputPlace> ParseResumePoint(absl::string_view text,
                                            IngestReport* report);

}  // namespace inkstream::ingest

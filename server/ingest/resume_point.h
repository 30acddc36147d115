// How an interrupted ingest goes on: at a place in its inputs, with what was
// reported of all in front of it, and only if it is to do the same. A store's
// CHECKPOINT keeps the place as text.
//
// Thread safety: plain value; functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/ingest/input/input_list.h"

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

// One line an option and an input: its name, the bytes of it that are read, its
// size and time of change (pipes: only that they are one). Names and values are
// escaped.
std::string DescribeJob(
    const std::vector<std::pair<std::string, std::string>>& options,
    const std::vector<InputFile>& inputs);

// A short name of it.
std::string JobDigest(absl::string_view job);

// FAILED_PRECONDITION names the first line that differs, old and new.
absl::Status CheckSameJob(absl::string_view interrupted, absl::string_view now,
                          const std::string& directory);

}  // namespace inkstream::ingest

// What an ingest is to do, as text: an interrupted one is gone on with only by
// one that is to do the same.
//
// Thread safety: pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/ingest/input/input_list.h"

namespace inkstream::ingest {

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

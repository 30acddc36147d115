// The inputs of an ingest, in index order.
//
// Thread safety: pure function of the file system.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace inkstream::ingest {

struct InputFile {
  std::string path;    // "-": standard input
  uint64_t bytes = 0;  // on disk; 0 where it is not known (pipes)
  // Bytes of it that are read, of a plain file; `end` 0: all.
  uint64_t begin = 0;
  uint64_t end = 0;
};

// Replaces directories by their files, by name. What lies beside data and is
// none by its name (README, check sums, Thumbs.db, hidden files) is passed over
// and, unless null, added to `passed_over`. NOT_FOUND, PERMISSION_DENIED,
// INVALID_ARGUMENT name the argument: a directory without files, with
// directories inside or that is a store, a file that a download or an editor
// has left (cat.ndjson.part, cat.ndjson~; in a directory also what has more
// behind the end of its name, cat.ndjson.7Ab3F2), standard input given twice.
absl::StatusOr<std::vector<InputFile>> ListInputs(
    const std::vector<std::string>& arguments,
    std::vector<std::string>* passed_over = nullptr);

}  // namespace inkstream::ingest

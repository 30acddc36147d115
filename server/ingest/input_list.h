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

// Replaces directories by their files, by name. NOT_FOUND, PERMISSION_DENIED,
// INVALID_ARGUMENT (a directory without files or with directories inside,
// standard input given twice) name the argument.
absl::StatusOr<std::vector<InputFile>> ListInputs(
    const std::vector<std::string>& arguments);

}  // namespace inkstream::ingest

// Flags that say which drawings of a store, and the view that they mean.
//
// Thread safety: plain values; the functions from any thread.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "inkstream/view.h"

namespace inkstream::app {

struct ViewFlags {
  View view;                            // split "all": every drawing
  std::vector<std::string> where = {};  // COLUMN OP VALUE[,VALUE...]
  std::string fold = {};                // I/K or I/K:held-out
  std::string include_keys = {};        // files; empty: none
  std::string exclude_keys = {};
};

// The default of --split is what flags->view.split is.
void AddViewFlags(CLI::App* command, ViewFlags* flags);

// Without its sets of keys. INVALID_ARGUMENT names the flag, its value and what
// it takes.
absl::StatusOr<View> ViewOf(const ViewFlags& flags);

// Keys of the files named; none: no such set.
struct ViewKeys {
  std::vector<int64_t> include;
  std::vector<int64_t> exclude;
};

// A key a line; blank lines are passed over. INVALID_ARGUMENT names the flag,
// the file and the line, or that there is nothing to include; NOT_FOUND and the
// like: a file cannot be read.
absl::StatusOr<ViewKeys> KeysOf(const ViewFlags& flags);

}  // namespace inkstream::app

// The word that a file's name carries, for formats whose records have none.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace inkstream::ingest {

// The name up to `suffix` (".bin"), which may be in any case and be followed by
// anything: .gz, ?alt=media, " (1)". Undone is what browsers and tools do to
// the names of Google's files: %XX is decoded; the folder in front,
// full_binary_ and the like, and a copy's number behind, " (1)", are taken off.
// "": the name has no `suffix`, or nothing before it.
std::string WordOfFile(absl::string_view path, absl::string_view suffix);

// INVALID_ARGUMENT as store::ValidateDrawing would say it of a drawing with
// this word.
absl::Status CheckWord(absl::string_view word);

}  // namespace inkstream::ingest

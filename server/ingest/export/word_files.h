// A directory with one file a word, which appears under its name only when it
// is complete.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/generation/staging_directory.h"

namespace inkstream::ingest {

class WordFiles {
 public:
  // ALREADY_EXISTS unless there is nothing, or an empty directory. Written
  // where a store would be built (PlaceOf), which must not be there either.
  static absl::StatusOr<std::unique_ptr<WordFiles>> Create(
      const std::string& directory, absl::string_view suffix);

  // Removes what was written unless it was closed.
  ~WordFiles();

  // Any number of words: no file stays open. INVALID_ARGUMENT: the word cannot
  // be a file's name from which it is read again.
  absl::Status Append(const std::string& word, absl::string_view bytes);
  absl::Status Close();

 private:
  WordFiles(store::StorePlace place, absl::string_view suffix)
      : place_(std::move(place)), suffix_(suffix) {}
  absl::Status Flush();

  const store::StorePlace place_;
  const std::string suffix_;
  std::map<std::string, std::string> held_;  // by word
  size_t held_bytes_ = 0;
  bool closed_ = false;
};

}  // namespace inkstream::ingest

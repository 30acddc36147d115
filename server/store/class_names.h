// Words as classes: sorted, '_' read as a space.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace inkstream::store {

// The class that a word names: the word with spaces for underscores. A class's
// id is the rank of its name among the store's classes, by bytes.
inline std::string ClassOfWord(absl::string_view word) {
  std::string name(word);
  for (char& c : name) {
    if (c == '_') c = ' ';
  }
  return name;
}

}  // namespace inkstream::store

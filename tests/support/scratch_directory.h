// A directory of a test's own, gone with the object.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace inkstream::testing {

class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }
  // The path of `name` inside.
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file inside and answers its path.
  std::string Write(const std::string& name, absl::string_view bytes) const;

 private:
  std::string path_;
};

// The whole file; "" where there is none.
std::string ReadWholeFile(const std::string& path);

}  // namespace inkstream::testing

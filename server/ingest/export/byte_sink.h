// A file that appears under its name only when it is complete.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inkstream::ingest {

class ByteSink {
 public:
  // Destroying a sink that was not closed removes what was written.
  virtual ~ByteSink() = default;
  virtual absl::Status Write(absl::string_view bytes) = 0;
  // Writes the rest and gives the file its name. Call once, last.
  virtual absl::Status Close() = 0;
};

// Creates `path`, or writes to standard output for "-" and straight into what
// is not a regular file, or is a mount point. Links are followed. Names ending
// in .gz and .zst are compressed. Errors name the path.
absl::StatusOr<std::unique_ptr<ByteSink>> OpenSink(const std::string& path);

// The same without compression.
absl::StatusOr<std::unique_ptr<ByteSink>> OpenFileSink(const std::string& path);

// Compress into another sink.
std::unique_ptr<ByteSink> NewGzipSink(std::unique_ptr<ByteSink> file);
std::unique_ptr<ByteSink> NewZstdSink(std::unique_ptr<ByteSink> file);

}  // namespace inkstream::ingest

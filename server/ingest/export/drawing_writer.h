// Drawings as the bytes of a format that is written.
//
// Thread safety: const methods from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "inkstream/drawing.h"

namespace inkstream::ingest {

enum class OutputFormat {
  kNdjson,  // as Google's files, raw drawings with their times
  kBin,     // the official binary format: a directory of WORD.bin
  kCsv,     // as Kaggle's training files
};

// "ndjson", "bin", "csv"; nullopt: none of these.
std::optional<OutputFormat> ParseOutputFormat(absl::string_view name);

class DrawingWriter {
 public:
  static std::unique_ptr<const DrawingWriter> Create(OutputFormat format);

  virtual ~DrawingWriter() = default;
  // What stands before the first drawing.
  virtual std::string Header() const { return ""; }
  // Whether the drawings of each word have a file of their own, WORD + suffix.
  virtual bool IsByWord() const { return false; }
  // INVALID_ARGUMENT: the format cannot carry the drawing; says why.
  // REQUIRES: what store::ValidateDrawing asks for.
  virtual absl::Status Append(const Drawing& drawing,
                              std::string* out) const = 0;
};

// ".bin" and the like.
absl::string_view SuffixOf(OutputFormat format);

}  // namespace inkstream::ingest

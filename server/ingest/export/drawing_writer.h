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

// Appends one line with its line end, byte for byte as Google writes it: a raw
// drawing with its times, another one simplified. A missing field has no key.
void AppendNdjsonLine(const Drawing& drawing, std::string* out);

// Appends the strokes alone, as a JSON list; `comma`: what stands between two
// values, "," or ", ".
void AppendStrokesJson(const Drawing& drawing, const char* comma,
                       std::string* out);

// Appends a record of the official binary format (bin_format.h). It has no word
// (the file's name is), no fraction of a second, and no way to leave a column
// out. INVALID_ARGUMENT names what the drawing has not (key_id, countrycode of
// two bytes, recognized, a timestamp in 1970..2106) or has too much of (times
// of a raw drawing).
absl::Status AppendBinRecord(const Drawing& drawing, std::string* out);

inline constexpr char kCsvHeader[] =
    "countrycode,drawing,key_id,recognized,timestamp,word\n";

// Appends one row of Kaggle's CSV (csv_format.h) with its line end. A missing
// column is an empty field. Times have six digits of fraction, whatever the
// source wrote.
void AppendCsvRow(const Drawing& drawing, std::string* out);

}  // namespace inkstream::ingest

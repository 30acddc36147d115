// Drawings as the bytes of a format that is written.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "inkstream/drawing.h"

namespace inkstream::ingest {

struct OutputFormat {
  absl::string_view name;    // as users write it
  absl::string_view suffix;  // of a file's name
  absl::string_view header;  // what stands before the first drawing
  // The drawings of each word have a file of their own, WORD + suffix.
  bool by_word = false;
  // INVALID_ARGUMENT: the format cannot carry the drawing; says why.
  // REQUIRES: what store::ValidateDrawing asks for.
  absl::Status (*append)(const Drawing& drawing, std::string* out) = nullptr;
};

extern const OutputFormat kNdjsonOutput;  // as Google's files
extern const OutputFormat kBinOutput;     // the official binary format
extern const OutputFormat kCsvOutput;     // as Kaggle's training files

// By its name; null: it is none's.
const OutputFormat* ParseOutputFormat(absl::string_view name);

// Appends one line with its line end, byte for byte as Google writes it: a raw
// drawing with its times, another one simplified. A missing field has no key.
void AppendNdjsonLine(const Drawing& drawing, std::string* out);

// Appends the strokes alone, as a JSON list; `comma`: what stands between two
// values, "," or ", ".
void AppendStrokesJson(const Drawing& drawing, const char* comma,
                       std::string* out);

// Appends a record of the official binary format (bin_format.cc). It has no
// word (the file's name is), no fraction of a second, and no way to leave a
// column out. INVALID_ARGUMENT names what the drawing has not (key_id,
// countrycode of two bytes, recognized, a timestamp in 1970..2106) or has too
// much of (times of a raw drawing).
absl::Status AppendBinRecord(const Drawing& drawing, std::string* out);

inline constexpr char kCsvHeader[] =
    "countrycode,drawing,key_id,recognized,timestamp,word\n";

// Appends one row of Kaggle's CSV (csv_format.cc) with its line end. A missing
// column is an empty field. Times have six digits of fraction, whatever the
// source wrote.
void AppendCsvRow(const Drawing& drawing, std::string* out);

}  // namespace inkstream::ingest

// Kaggle's CSV of Quick, Draw!: a header row that names the columns, in any
// order: `drawing` (JSON) and any of countrycode, key_id, recognized,
// timestamp, word; the training files have all six, the test form key_id,
// countrycode, drawing. Fields are parted by commas, semicolons or tabs, as the
// header row is. Quoting as in RFC 4180: "" inside quotes is one quote,
// line ends and commas may stand there. An empty field reads as missing. The
// strokes may be raw ones.
//
// A quote that is never closed refuses the input: nothing behind it can be
// told apart.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "server/ingest/formats/drawing_format.h"

namespace inkstream::ingest {

class CsvFormat : public DrawingFormat {
 public:
  // True if a text that begins so has a header row with a column `drawing`.
  static bool Matches(absl::string_view beginning);

  std::unique_ptr<RecordCutter> NewCutter(
      std::unique_ptr<ByteSource> source,
      const std::string& name) const override;
  std::unique_ptr<RecordParser> NewParser(
      const ParserOptions& options = {}) const override;
};

}  // namespace inkstream::ingest

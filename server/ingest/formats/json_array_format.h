// A JSON array of drawing objects, [{...}, {...}], laid out in any way: read as
// a stream, element by element, never as a whole. The elements are what a line
// of NDJSON is.
//
// An array that does not end, or is followed by more than blanks, refuses the
// input.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "server/ingest/formats/drawing_format.h"

namespace inkstream::ingest {

class JsonArrayFormat : public DrawingFormat {
 public:
  // True if the first byte that is not blank opens an array.
  static bool Matches(absl::string_view beginning);

  std::unique_ptr<RecordCutter> NewCutter(
      std::unique_ptr<ByteSource> source,
      const std::string& name) const override;
  std::unique_ptr<RecordParser> NewParser(
      const ParserOptions& options = {}) const override;
};

}  // namespace inkstream::ingest

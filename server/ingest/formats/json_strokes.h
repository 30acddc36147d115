// The strokes of one drawing from JSON: what stands behind the key `drawing`,
// or in a CSV's column of that name.
//
// Thread safety: one object a thread. Included by sources of this room only:
// simdjson stays inside it.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "inkstream/drawing.h"
#include "server/ingest/formats/drawing_format.h"
#include "server/ingest/formats/json_drawing.h"
#include "server/ingest/formats/raw_drawing.h"
#include "simdjson.h"

namespace inkstream::ingest {

class StrokesReader {
 public:
  explicit StrokesReader(const ParserOptions& options) : raw_(options) {}

  // Each adds the strokes to `drawing`, as ReadJsonDrawing does, and to the
  // counts of `chunk`. False: `error` says why.
  bool Read(simdjson::dom::element value, Drawing* drawing, ParsedChunk* chunk,
            RecordError* error);
  // Of a list of strokes as text. Nesting is limited as a line's is.
  bool ReadText(absl::string_view text, Drawing* drawing, ParsedChunk* chunk,
                RecordError* error);

 private:
  RawDrawingReader raw_;
  // Of texts only: elements that are read live in the parser of their line.
  simdjson::dom::parser parser_;
  std::string padded_;
};

}  // namespace inkstream::ingest

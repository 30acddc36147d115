// The strokes of one drawing from JSON: what stands behind the key `drawing`,
// or in a CSV's column of that name. Strokes of three lists, [[x...], [y...],
// [t...]] in pixels of the screen they were drawn on, are raw: simplified as
// Google did, or kept.
//
// Thread safety: one object a thread. Included by sources of this room only:
// simdjson stays inside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "inkstream/drawing.h"
#include "server/ingest/formats/drawing_format.h"
#include "server/ingest/formats/json_drawing.h"
#include "server/ingest/formats/official_simplifier.h"
#include "simdjson.h"

namespace inkstream::ingest {

class StrokesReader {
 public:
  explicit StrokesReader(const ParserOptions& options) : options_(options) {}

  // Each adds the strokes to `drawing`, as ReadJsonDrawing does, and to the
  // counts of `chunk`. False: `error` says why.
  bool Read(simdjson::dom::element value, Drawing* drawing, ParsedChunk* chunk,
            RecordError* error);
  // Of a list of strokes as text. Nesting is limited as a line's is.
  bool ReadText(absl::string_view text, Drawing* drawing, ParsedChunk* chunk,
                RecordError* error);

 private:
  // Into `drawing` simplified, without times; or kept and on the canvas.
  bool ReadRaw(simdjson::dom::array strokes, Drawing* drawing,
               RecordError* error);
  bool ReadRawStroke(simdjson::dom::element value, size_t stroke,
                     RecordError* error);

  const ParserOptions options_;
  // Of raw drawings.
  OfficialSimplifier simplifier_;
  std::vector<uint32_t> stroke_ends_;
  RawStrokes points_;
  // Of texts only: elements that are read live in the parser of their line.
  simdjson::dom::parser parser_;
  std::string padded_;
};

}  // namespace inkstream::ingest

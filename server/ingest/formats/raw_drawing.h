// The strokes of a raw Quick, Draw! drawing: [[x...], [y...], [t...]] in
// pixels of the screen it was drawn on, simplified as Google did or kept.
//
// Thread safety: one object a thread. Included by sources of this room only:
// simdjson stays inside it.
#pragma once

#include <cstdint>
#include <vector>

#include "inkstream/drawing.h"
#include "server/ingest/formats/json_drawing.h"
#include "server/ingest/formats/official_simplifier.h"
#include "simdjson.h"

namespace inkstream::ingest {

class RawDrawingReader {
 public:
  // Points of one drawing as drawn; more are refused before any work.
  static constexpr size_t kMaxPoints = 65535;

  explicit RawDrawingReader(const ParserOptions& options) : options_(options) {}

  // Whether drawings are kept as they were drawn.
  bool keeps() const { return options_.keep_raw; }
  // Whether other drawings are refused.
  bool only_raw() const { return options_.only_raw; }

  // True if the first stroke has three lists, which only raw drawings have.
  static bool IsRaw(simdjson::dom::array strokes);

  // Reads `strokes` into `drawing`: simplified, without times; or, if this
  // keeps, raw and on the canvas. False: `error` says why.
  bool Read(simdjson::dom::array strokes, Drawing* drawing, RecordError* error);

 private:
  bool ReadStroke(simdjson::dom::element value, size_t stroke,
                  RecordError* error);

  const ParserOptions options_;
  OfficialSimplifier simplifier_;
  std::vector<uint32_t> stroke_ends_;
  RawStrokes points_;
};

}  // namespace inkstream::ingest

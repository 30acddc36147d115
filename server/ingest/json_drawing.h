// One drawing from a parsed JSON object; shared by the formats that carry
// drawings as JSON. Included by their sources only: simdjson stays inside this
// room.
#pragma once

#include <string>

#include "inkstream/drawing.h"
#include "server/ingest/drawing_format.h"
#include "server/ingest/error_log.h"
#include "simdjson.h"

namespace inkstream::ingest {

class RawDrawingReader;

struct RecordError {
  ErrorKind kind = ErrorKind::kBrokenJson;
  std::string reason;  // names the field, the value and what was expected
};

// Reads `object` into `drawing` (cleared first). False: `error` says why.
// Unknown keys, nulls and simplified drawings are added to the counts of
// `chunk`. `raw` is the thread's scratch.
bool ReadJsonDrawing(simdjson::dom::element object, RawDrawingReader* raw,
                     Drawing* drawing, ParsedChunk* chunk, RecordError* error);

}  // namespace inkstream::ingest

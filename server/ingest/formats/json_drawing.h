// One drawing from a parsed JSON object; shared by the formats that carry
// drawings as JSON. Included by their sources only: simdjson stays inside this
// room.
#pragma once

#include <cstddef>
#include <string>

#include "inkstream/drawing.h"
#include "server/ingest/error_log.h"
#include "server/ingest/formats/drawing_format.h"
#include "simdjson.h"

namespace inkstream::ingest {

// Objects and arrays inside one another, the line's own object included.
inline constexpr size_t kMaxJsonDepth = 64;

class StrokesReader;

struct RecordError {
  ErrorKind kind = ErrorKind::kBrokenJson;
  std::string reason;  // names the field, the value and what was expected
};

// Reads `object` into `drawing` (cleared first). False: `error` says why.
// Values in another form that can mean one thing only are taken, as tables
// write them: key_id and recognized as numbers, a drawing as the text of its
// list, times in ISO 8601. Unknown keys, nulls, such values and simplified
// drawings are added to the counts of
// `chunk`. `strokes` is the thread's scratch.
bool ReadJsonDrawing(simdjson::dom::element object, StrokesReader* strokes,
                     Drawing* drawing, ParsedChunk* chunk, RecordError* error);

}  // namespace inkstream::ingest

// The strokes of one drawing from a parsed JSON value: what stands behind the
// key `drawing`, or in a CSV's column of that name.
//
// Thread safety: as of its scratch, `raw`.
#pragma once

#include "inkstream/drawing.h"
#include "server/ingest/drawing_format.h"
#include "server/ingest/json_drawing.h"
#include "simdjson.h"

namespace inkstream::ingest {

class RawDrawingReader;

// As ReadJsonDrawing, of the strokes alone, added to `drawing`.
bool ReadJsonStrokes(simdjson::dom::element value, RawDrawingReader* raw,
                     Drawing* drawing, ParsedChunk* chunk, RecordError* error);

}  // namespace inkstream::ingest

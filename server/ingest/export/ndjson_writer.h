// Drawings as NDJSON lines, byte for byte as Google writes them: raw ones with
// their times, others simplified.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "inkstream/drawing.h"

namespace inkstream::ingest {

// Appends one line with its line end. A missing field has no key.
// REQUIRES: what store::ValidateDrawing asks for.
void AppendNdjsonLine(const Drawing& drawing, std::string* out);

// Appends the strokes alone, as a JSON list; `comma`: what stands between two
// values, "," or ", ".
void AppendStrokesJson(const Drawing& drawing, const char* comma,
                       std::string* out);

}  // namespace inkstream::ingest

// The short way for lines that are written as Google writes them; every other
// line goes through a real JSON parser.
//
// Thread safety: one object a thread.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/store/writing/packed_drawings.h"

namespace inkstream::ingest {

class PlainLineReader {
 public:
  // Reads `line` if it is one plain object: no blanks, no escapes, ASCII, known
  // keys once each, no null, simplified strokes of whole numbers written
  // without sign, point or exponent, and adds its drawing. False, with nothing
  // added: it is not, or something is wrong with it, and another reader must
  // say what. What it reads is what that reader would read. REQUIRES:
  // RecordChunk::kPadding readable bytes behind the line.
  bool Read(absl::string_view line, store::PackedDrawings* drawings);

 private:
  bool ReadStrokes(const char** at, const char* end);

  // Of the line's drawing; larger than it, so that they are made once.
  std::vector<uint8_t> x_, y_;
  std::vector<uint32_t> stroke_ends_;
  size_t points_ = 0;
};

}  // namespace inkstream::ingest

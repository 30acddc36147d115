// Newline-delimited JSON, one drawing a line, as the simplified Quick, Draw!
// files: {"word", "countrycode", "timestamp", "recognized", "key_id",
// "drawing": [[[x, ...], [y, ...]], ...]}, and "split" (the name of the split
// that the source has the drawing in). Keys may be missing (all but
// drawing) and in any order; null reads as missing; blank lines are passed
// over. Strokes of three lists, [[x, ...], [y, ...], [t, ...]], are those of a
// raw file: such a drawing is simplified as Google did (raw_drawing.h).
#pragma once

#include <memory>
#include <string>

#include "server/ingest/formats/drawing_format.h"

namespace inkstream::ingest {

class NdjsonFormat : public DrawingFormat {
 public:
  // Objects and arrays inside one another, the line's own object included.
  static constexpr size_t kMaxDepth = 64;

  std::unique_ptr<RecordCutter> NewCutter(
      std::unique_ptr<ByteSource> source,
      const std::string& name) const override;
  bool LinesAreRecords() const override { return true; }
  std::unique_ptr<RecordParser> NewParser(
      const ParserOptions& options = {}) const override;
};

}  // namespace inkstream::ingest

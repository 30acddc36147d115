// Newline-delimited JSON, one drawing a line, as the simplified Quick, Draw!
// files: {"word", "countrycode", "timestamp", "recognized", "key_id",
// "drawing": [[[x, ...], [y, ...]], ...]}, and "split" (the name of the split
// that the source has the drawing in). Keys may be missing (all but
// drawing) and in any order; null reads as missing; blank lines are passed
// over. Strokes of three lists, [[x, ...], [y, ...], [t, ...]], are those of a
// raw file: such a drawing is simplified as Google did (json_strokes.h).

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"
#include "server/ingest/formats/drawing_fields.h"
#include "server/ingest/formats/json_drawing.h"
#include "server/ingest/formats/json_strokes.h"
#include "server/ingest/formats/plain_line.h"
#include "server/ingest/input/line_cutter.h"
#include "simdjson.h"

namespace inkstream::ingest {
namespace {

static_assert(RecordChunk::kPadding >= simdjson::SIMDJSON_PADDING);

bool IsBlank(absl::string_view line) {
  if (!line.empty() && line.front() == '{') return false;
  return line.find_first_not_of(" \t\r") == absl::string_view::npos;
}

class NdjsonParser : public RecordParser {
 public:
  explicit NdjsonParser(const ParserOptions& options)
      : only_raw_(options.only_raw),
        places_(options.places),
        strokes_(options) {
    const simdjson::error_code code =
        parser_.allocate(RecordChunk::kCapacity, kMaxJsonDepth);
    // Without memory here, every line is refused with that reason.
    static_cast<void>(code);
  }

  ParsedChunk Parse(const RecordChunk& chunk) override {
    ParsedChunk parsed;
    if (chunk.overlong.has_value()) {
      AddOverlong(chunk, &parsed);
      return parsed;
    }
    for (const RecordPlace& place : chunk.records) {
      Take(chunk, place.begin, place.end, place.line, &parsed);
    }
    if (!chunk.records.empty()) return parsed;
    const absl::string_view text = chunk.text();
    parsed.drawings.Reserve(last_count_ + last_count_ / 8,
                            last_bytes_ + last_bytes_ / 8);
    uint64_t line_number = chunk.line;
    for (size_t begin = 0; begin < text.size(); ++line_number) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      if (!IsBlank(text.substr(begin, end - begin))) {
        Take(chunk, begin, end, line_number, &parsed);
      }
      begin = end + 1;
    }
    last_count_ = parsed.drawings.size();
    last_bytes_ = parsed.drawings.bytes();
    return parsed;
  }

 private:
  // The record in [begin, end) of the chunk.
  void Take(const RecordChunk& chunk, size_t begin, size_t end, uint64_t line,
            ParsedChunk* parsed) {
    const absl::string_view text = chunk.text().substr(begin, end - begin);
    ++parsed->read;
    const bool plain = !only_raw_ && plain_.Read(text, &parsed->drawings);
    if (!plain) {
      if (!ParseLine(text, parsed)) {
        parsed->errors.Add(error_.kind, chunk.file, line, chunk.offset + begin,
                           error_.reason, text);
        return;
      }
      parsed->drawings.Add(drawing_);
    }
    if (places_) {
      parsed->places.push_back(
          {static_cast<uint32_t>(begin), static_cast<uint32_t>(end), line});
    }
  }

  bool ParseLine(absl::string_view line, ParsedChunk* parsed) {
    simdjson::dom::element object;
    const simdjson::error_code code =
        parser_.parse(line.data(), line.size(), false).get(object);
    if (code != simdjson::SUCCESS) {
      error_ = ExplainJsonError(code, line);
      return false;
    }
    return ReadJsonDrawing(object, &strokes_, &drawing_, parsed, &error_);
  }

  const bool only_raw_;
  const bool places_;
  // Of the chunk before.
  size_t last_count_ = 0;
  size_t last_bytes_ = 0;
  PlainLineReader plain_;
  simdjson::dom::parser parser_;
  StrokesReader strokes_;
  Drawing drawing_;
  RecordError error_;
};

}  // namespace

const DrawingFormat kNdjsonFormat = {
    .new_cutter =
        [](std::unique_ptr<ByteSource> source,
           const std::string& /*name*/) -> std::unique_ptr<RecordCutter> {
      return std::make_unique<LineCutter>(std::move(source));
    },
    .new_parser =
        [](const ParserOptions& options) -> std::unique_ptr<RecordParser> {
      return std::make_unique<NdjsonParser>(options);
    },
    .lines_are_records = true};

}  // namespace inkstream::ingest

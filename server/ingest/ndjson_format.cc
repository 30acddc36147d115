#include "server/ingest/ndjson_format.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/ingest/json_drawing.h"
#include "server/ingest/line_cutter.h"
#include "server/ingest/raw_drawing.h"
#include "simdjson.h"

namespace inkstream::ingest {
namespace {

static_assert(RecordChunk::kPadding >= simdjson::SIMDJSON_PADDING);

bool IsBlank(absl::string_view line) {
  return line.find_first_not_of(" \t\r") == absl::string_view::npos;
}

bool Contains(absl::string_view line, absl::string_view word) {
  return line.find(word) != absl::string_view::npos;
}

// Whether `word` stands where a value would, not inside a string.
bool HasBareWord(absl::string_view line, absl::string_view word) {
  for (size_t at = line.find(word); at != absl::string_view::npos;
       at = line.find(word, at + 1)) {
    const absl::string_view before = line.substr(0, at);
    const size_t last = before.find_last_not_of(" \t-+");
    if (last != absl::string_view::npos &&
        Contains("[,:", before.substr(last, 1))) {
      return true;
    }
  }
  return false;
}

RecordError Explain(simdjson::error_code code, absl::string_view line) {
  if (Contains(line, absl::string_view("\0", 1))) {
    return {
        ErrorKind::kNulByte,
        absl::StrCat("a NUL byte at byte ",
                     line.find(absl::string_view("\0", 1)), " of the line")};
  }
  switch (code) {
    case simdjson::UTF8_ERROR:
      return {ErrorKind::kInvalidUtf8, "the line is not valid UTF-8"};
    case simdjson::DEPTH_ERROR:
      return {ErrorKind::kTooDeep,
              absl::StrCat("nested over ", NdjsonFormat::kMaxDepth,
                           " levels deep")};
    default:
      break;
  }
  for (const absl::string_view word : {"NaN", "Infinity", "nan", "inf"}) {
    if (HasBareWord(line, word)) {
      return {ErrorKind::kNotANumber,
              absl::StrCat("not JSON: it has ", word,
                           " where a number was expected")};
    }
  }
  if (code == simdjson::NUMBER_ERROR) {
    return {ErrorKind::kBadNumber, "a number is malformed or beyond 64 bits"};
  }
  return {ErrorKind::kBrokenJson,
          absl::StrCat("not JSON: ", simdjson::error_message(code))};
}

class NdjsonParser : public RecordParser {
 public:
  explicit NdjsonParser(const ParserOptions& options) : raw_(options.keep_raw) {
    const simdjson::error_code code =
        parser_.allocate(RecordChunk::kCapacity, NdjsonFormat::kMaxDepth);
    // Without memory here, every line is refused with that reason.
    static_cast<void>(code);
  }

  ParsedChunk Parse(const RecordChunk& chunk) override {
    ParsedChunk parsed;
    if (chunk.overlong.has_value()) {
      ++parsed.read;
      parsed.errors.Add(ErrorKind::kLineTooLong, chunk.file,
                        chunk.overlong->line, chunk.overlong->offset,
                        absl::StrCat("the line is over the limit of ",
                                     RecordChunk::kMaxRecordBytes, " bytes"),
                        chunk.overlong->beginning);
      return parsed;
    }
    const absl::string_view text = chunk.text();
    uint64_t line_number = chunk.line;
    for (size_t begin = 0; begin < text.size(); ++line_number) {
      size_t end = text.find('\n', begin);
      if (end == absl::string_view::npos) end = text.size();
      const absl::string_view line = text.substr(begin, end - begin);
      if (!IsBlank(line)) {
        ++parsed.read;
        if (ParseLine(line, &parsed)) {
          // A copy has exactly the memory it needs; the scratch keeps its own.
          parsed.drawings.push_back(drawing_);
        } else {
          parsed.errors.Add(error_.kind, chunk.file, line_number,
                            chunk.offset + begin, error_.reason, line);
        }
      }
      begin = end + 1;
    }
    return parsed;
  }

 private:
  bool ParseLine(absl::string_view line, ParsedChunk* parsed) {
    simdjson::dom::element object;
    const simdjson::error_code code =
        parser_.parse(line.data(), line.size(), false).get(object);
    if (code != simdjson::SUCCESS) {
      error_ = Explain(code, line);
      return false;
    }
    return ReadJsonDrawing(object, &raw_, &drawing_, parsed, &error_);
  }

  simdjson::dom::parser parser_;
  RawDrawingReader raw_;
  Drawing drawing_;
  RecordError error_;
};

}  // namespace

std::unique_ptr<RecordCutter> NdjsonFormat::NewCutter(
    std::unique_ptr<ByteSource> source, const std::string& name) const {
  return std::make_unique<LineCutter>(std::move(source), name);
}

std::unique_ptr<RecordParser> NdjsonFormat::NewParser(
    const ParserOptions& options) const {
  return std::make_unique<NdjsonParser>(options);
}

}  // namespace inkstream::ingest

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/ingest/formats/csv_row.h"
#include "server/ingest/formats/drawing_fields.h"
#include "server/ingest/formats/json_strokes.h"
#include "server/store/drawing_rules.h"

namespace inkstream::ingest {
namespace {

class CsvParser : public RecordParser {
 public:
  explicit CsvParser(const ParserOptions& options)
      : places_(options.places), strokes_(options) {}

  ParsedChunk Parse(const RecordChunk& chunk) override {
    ParsedChunk parsed;
    if (chunk.overlong.has_value()) {
      AddOverlong(chunk, &parsed);
      return parsed;
    }
    if (chunk.header != header_) {
      absl::StatusOr<CsvColumns> columns = CsvColumns::Parse(chunk.header);
      // The cutter has parsed it before.
      if (columns.ok()) columns_ = *std::move(columns);
      header_ = chunk.header;
    }
    for (const RecordPlace& place : chunk.records) {
      const absl::string_view row =
          chunk.text().substr(place.begin, place.end - place.begin);
      ++parsed.read;
      if (ReadRow(row, &parsed)) {
        parsed.drawings.Add(drawing_);
        if (places_) parsed.places.push_back(place);
      } else {
        parsed.errors.Add(error_.kind, chunk.file, place.line,
                          chunk.offset + place.begin, error_.reason, row);
      }
    }
    return parsed;
  }

 private:
  bool ReadRow(absl::string_view row, ParsedChunk* parsed) {
    drawing_.Clear();
    if (!SplitCsvRow(row, columns_.delimiter, &fields_)) {
      return Refuse(&error_, ErrorKind::kBadRow,
                    "a quote stands inside a field; a field with quotes is "
                    "quoted itself, its quotes doubled");
    }
    if (fields_.size() != columns_.columns.size()) {
      return Refuse(
          &error_, ErrorKind::kBadRow,
          absl::StrCat("the row has ", fields_.size(), " fields, the header ",
                       columns_.columns.size()));
    }
    for (size_t f = 0; f < fields_.size(); ++f) {
      if (columns_.columns[f] == DrawingField::kUnknown) {
        parsed->unknown_keys.Add(columns_.names[f]);
      } else if (fields_[f].empty()) {
        if (columns_.columns[f] == DrawingField::kDrawing) {
          return Refuse(&error_, ErrorKind::kNoDrawing,
                        "the field drawing is empty");
        }
        parsed->null_values.Add(columns_.names[f]);
      } else if (!ReadField(columns_.columns[f], fields_[f], parsed)) {
        return false;
      }
    }
    if (absl::Status status = store::ValidateDrawing(drawing_); !status.ok()) {
      return Refuse(&error_, KindOfStoreRule(status.message()),
                    std::string(status.message()));
    }
    return true;
  }

  bool ReadField(DrawingField column, const std::string& text,
                 ParsedChunk* parsed) {
    switch (column) {
      case DrawingField::kDrawing:
        return strokes_.ReadText(text, &drawing_, parsed, &error_);
      case DrawingField::kWord:
        drawing_.word = text;
        return true;
      case DrawingField::kCountrycode:
        drawing_.countrycode = text;
        return true;
      case DrawingField::kTimestamp:
        return ReadIsoTimestamp(text, &drawing_, &error_);
      case DrawingField::kRecognized:
        return ReadRecognizedText(text, &drawing_, &error_);
      case DrawingField::kKeyId:
        return ReadKeyIdText(text, &drawing_, &error_);
      default:
        return true;
    }
  }

  const bool places_;
  StrokesReader strokes_;
  std::string header_;
  CsvColumns columns_;
  std::vector<std::string> fields_;
  Drawing drawing_;
  RecordError error_;
};

}  // namespace

std::unique_ptr<RecordParser> NewCsvParser(const ParserOptions& options) {
  return std::make_unique<CsvParser>(options);
}

}  // namespace inkstream::ingest

// Rows of CSV as in RFC 4180, what the header row says of their fields, and
// Kaggle's rows as drawings.
//
// Thread safety: plain values; one parser a thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/ingest/formats/drawing_format.h"

namespace inkstream::ingest {

// What may stand between fields: a comma, or what Excel and pandas write as
// well.
inline constexpr absl::string_view kCsvDelimiters = ",;\t";

// Splits a row (without its line end) into fields, unquoted. False: a quote
// stands where none may. `fields` keeps its memory.
bool SplitCsvRow(absl::string_view row, char delimiter,
                 std::vector<std::string>* fields);

// What each field of a row is.
struct CsvColumns {
  std::vector<DrawingField> columns;
  std::vector<std::string> names;
  char delimiter = ',';  // the first one in the header row, outside of quotes

  // INVALID_ARGUMENT: no column `drawing`, a name twice, quotes astray.
  static absl::StatusOr<CsvColumns> Parse(absl::string_view header);
};

std::unique_ptr<RecordParser> NewCsvParser(const ParserOptions& options);

}  // namespace inkstream::ingest

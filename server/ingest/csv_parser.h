// Rows of Kaggle's CSV -> drawings.
//
// Thread safety: one parser a thread; CsvColumns is a plain value.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/ingest/drawing_format.h"

namespace inkstream::ingest {

// What each field of a row is.
struct CsvColumns {
  enum Column {
    kDrawing,
    kWord,
    kCountrycode,
    kTimestamp,
    kRecognized,
    kKeyId,
    kOther,
  };
  std::vector<Column> columns;
  std::vector<std::string> names;

  // INVALID_ARGUMENT: no column `drawing`, a name twice, quotes astray.
  static absl::StatusOr<CsvColumns> Parse(absl::string_view header);
};

std::unique_ptr<RecordParser> NewCsvParser(const ParserOptions& options);

}  // namespace inkstream::ingest

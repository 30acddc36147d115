// What the header row of a CSV file says of its fields. A plain value.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

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
  char delimiter = ',';  // the first one in the header row, outside of quotes

  // INVALID_ARGUMENT: no column `drawing`, a name twice, quotes astray.
  static absl::StatusOr<CsvColumns> Parse(absl::string_view header);
};

}  // namespace inkstream::ingest

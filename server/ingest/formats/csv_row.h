// Rows of CSV as in RFC 4180.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace inkstream::ingest {

// What may stand between fields: a comma, or what Excel and pandas write as
// well.
inline constexpr absl::string_view kCsvDelimiters = ",;\t";

// Splits a row (without its line end) into fields, unquoted. False: a quote
// stands where none may. `fields` keeps its memory.
bool SplitCsvRow(absl::string_view row, char delimiter,
                 std::vector<std::string>* fields);

}  // namespace inkstream::ingest

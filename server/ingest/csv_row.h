// Rows of CSV as in RFC 4180.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace inkstream::ingest {

// Splits a row (without its line end) into fields, unquoted. False: a quote
// stands where none may. `fields` keeps its memory.
bool SplitCsvRow(absl::string_view row, std::vector<std::string>* fields);

}  // namespace inkstream::ingest

#include "server/ingest/formats/csv_columns.h"

#include <array>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "server/ingest/formats/csv_row.h"

namespace inkstream::ingest {

absl::StatusOr<CsvColumns> CsvColumns::Parse(absl::string_view header) {
  static constexpr std::array<absl::string_view, kOther> kNames = {
      "drawing", "word", "countrycode", "timestamp", "recognized", "key_id"};
  CsvColumns result;
  bool quoted = false;
  for (const char c : header) {
    if (c == '"') quoted = !quoted;
    if (quoted || !absl::StrContains(kCsvDelimiters, c)) continue;
    result.delimiter = c;
    break;
  }
  if (!SplitCsvRow(header, result.delimiter, &result.names)) {
    return absl::InvalidArgumentError("quotes are astray in the header row");
  }
  std::set<std::string> seen;
  for (const std::string& name : result.names) {
    if (!seen.insert(name).second) {
      return absl::InvalidArgumentError("the header row names a column twice");
    }
    Column column = kOther;
    for (size_t c = 0; c < kNames.size(); ++c) {
      if (name == kNames[c]) column = static_cast<Column>(c);
    }
    result.columns.push_back(column);
  }
  if (seen.count("drawing") == 0) {
    return absl::InvalidArgumentError(
        "the header row has no column 'drawing'; expected some of "
        "countrycode,drawing,key_id,recognized,timestamp,word");
  }
  return result;
}

}  // namespace inkstream::ingest

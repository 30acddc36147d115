#include "server/ingest/formats/csv_row.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"

namespace inkstream::ingest {

bool SplitCsvRow(absl::string_view row, char delimiter,
                 std::vector<std::string>* fields) {
  size_t count = 0;
  const auto next_field = [&]() -> std::string& {
    if (count == fields->size()) fields->emplace_back();
    std::string& field = (*fields)[count++];
    field.clear();
    return field;
  };
  size_t at = 0;
  for (;;) {
    std::string& field = next_field();
    if (at < row.size() && row[at] == '"') {
      for (++at;;) {
        const size_t quote = row.find('"', at);
        if (quote == absl::string_view::npos) return false;
        field.append(row.data() + at, quote - at);
        at = quote + 1;
        if (at >= row.size() || row[at] != '"') break;
        field.push_back('"');
        ++at;
      }
      if (at < row.size() && row[at] != delimiter) return false;
    } else {
      const size_t end = std::min(row.find(delimiter, at), row.size());
      const absl::string_view plain = row.substr(at, end - at);
      if (plain.find('"') != absl::string_view::npos) return false;
      field.assign(plain.data(), plain.size());
      at = end;
    }
    if (at >= row.size()) break;
    ++at;  // the delimiter
  }
  fields->resize(count);
  return true;
}

absl::StatusOr<CsvColumns> CsvColumns::Parse(absl::string_view header) {
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
    const DrawingField field = FieldNamed(name);
    result.columns.push_back(
        field == DrawingField::kSplit ? DrawingField::kUnknown : field);
  }
  if (seen.count("drawing") == 0) {
    return absl::InvalidArgumentError(
        "the header row has no column 'drawing'; expected some of "
        "countrycode,drawing,key_id,recognized,timestamp,word");
  }
  return result;
}

}  // namespace inkstream::ingest

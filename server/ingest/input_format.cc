#include "server/ingest/input_format.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace inkstream::ingest {
namespace {

// Holds the header row of a CSV, and blanks before an array.
constexpr size_t kPeekedBytes = 4096;

// With a byte order mark, or as its absence shows: every other byte of a brace
// and a quote is 0.
bool IsUtf16(absl::string_view beginning) {
  const absl::string_view four = beginning.substr(0, 4);
  return absl::StartsWith(four, "\xFF\xFE") ||
         absl::StartsWith(four, "\xFE\xFF") ||
         four == absl::string_view("{\0\"\0", 4) ||
         four == absl::string_view("\0{\0\"", 4) ||
         four == absl::string_view("[\0{\0", 4) ||
         four == absl::string_view("\0[\0{", 4);
}

}  // namespace

std::optional<InputFormat> ParseInputFormat(absl::string_view name) {
  if (name == "ndjson" || name == "raw") return InputFormat::kNdjson;
  if (name == "bin") return InputFormat::kBin;
  if (name == "csv") return InputFormat::kCsv;
  if (name == "json") return InputFormat::kJson;
  return std::nullopt;
}

const DrawingFormat& InputFormats::Detect(absl::string_view beginning) const {
  if (BinFormat::Matches(beginning)) return bin_;
  if (JsonArrayFormat::Matches(beginning)) return json_;
  if (CsvFormat::Matches(beginning)) return csv_;
  return ndjson_;
}

absl::StatusOr<const DrawingFormat*> InputFormats::Choose(
    InputFormat format, PeekedSource* source, const std::string& name) const {
  absl::StatusOr<absl::string_view> beginning = source->Peek(kPeekedBytes);
  if (!beginning.ok()) return beginning.status();
  if (format == InputFormat::kBin) return &bin_;
  const DrawingFormat& detected = Detect(*beginning);
  if (&detected != &bin_ && IsUtf16(*beginning)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name,
                     " is UTF-16 text, expected UTF-8; convert it with "
                     "iconv -f UTF-16 -t UTF-8"));
  }
  switch (format) {
    case InputFormat::kNdjson:
      return &ndjson_;
    case InputFormat::kCsv:
      return &csv_;
    case InputFormat::kJson:
      return &json_;
    default:
      return &detected;
  }
}

}  // namespace inkstream::ingest

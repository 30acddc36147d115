#include "server/ingest/input/input_format.h"

#include "server/ingest/input/foreign_file.h"

namespace inkstream::ingest {

std::optional<InputFormat> ParseInputFormat(absl::string_view name) {
  if (name == "ndjson" || name == "raw") return InputFormat::kNdjson;
  if (name == "bin") return InputFormat::kBin;
  if (name == "csv") return InputFormat::kCsv;
  if (name == "json") return InputFormat::kJson;
  return std::nullopt;
}

absl::StatusOr<const DrawingFormat*> InputFormats::Choose(
    InputFormat format, PeekedSource* source, const std::string& name) const {
  absl::StatusOr<absl::string_view> beginning = source->Peek(kBeginningBytes);
  if (!beginning.ok()) return beginning.status();
  const bool bin = format == InputFormat::kBin;
  // First, since a key is any eight bytes.
  if ((bin || format == InputFormat::kDetect) &&
      BinFormat::Matches(*beginning)) {
    return &bin_;
  }
  absl::Status status = RefuseForeign(*beginning, name, /*text=*/!bin);
  if (!status.ok()) return status;
  switch (format) {
    case InputFormat::kNdjson:
      return &ndjson_;
    case InputFormat::kBin:
      return &bin_;
    case InputFormat::kCsv:
      return &csv_;
    case InputFormat::kJson:
      return &json_;
    case InputFormat::kDetect:
      break;
  }
  if (JsonArrayFormat::Matches(*beginning)) return &json_;
  if (CsvFormat::Matches(*beginning)) return &csv_;
  if (status = RefuseOtherText(*beginning, name); !status.ok()) return status;
  return &ndjson_;
}

}  // namespace inkstream::ingest

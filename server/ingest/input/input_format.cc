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

absl::StatusOr<const DrawingFormat*> ChooseFormat(InputFormat format,
                                                  PeekedSource* source,
                                                  const std::string& name) {
  absl::StatusOr<absl::string_view> beginning = source->Peek(kBeginningBytes);
  if (!beginning.ok()) return beginning.status();
  const bool bin = format == InputFormat::kBin;
  // First, since a key is any eight bytes.
  if ((bin || format == InputFormat::kDetect) &&
      kBinFormat.matches(*beginning)) {
    return &kBinFormat;
  }
  absl::Status status = RefuseForeign(*beginning, name, /*text=*/!bin);
  if (!status.ok()) return status;
  switch (format) {
    case InputFormat::kNdjson:
      return &kNdjsonFormat;
    case InputFormat::kBin:
      return &kBinFormat;
    case InputFormat::kCsv:
      return &kCsvFormat;
    case InputFormat::kJson:
      return &kJsonArrayFormat;
    case InputFormat::kDetect:
      break;
  }
  for (const DrawingFormat* one : {&kJsonArrayFormat, &kCsvFormat}) {
    if (one->matches(*beginning)) return one;
  }
  if (status = RefuseOtherText(*beginning, name); !status.ok()) return status;
  return &kNdjsonFormat;
}

}  // namespace inkstream::ingest

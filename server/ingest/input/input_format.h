// Which format an input has.
//
// Thread safety: const methods from any thread; the formats live as long as the
// object.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/ingest/formats/bin_format.h"
#include "server/ingest/formats/csv_format.h"
#include "server/ingest/formats/drawing_format.h"
#include "server/ingest/formats/json_array_format.h"
#include "server/ingest/formats/ndjson_format.h"
#include "server/ingest/input/peeked_source.h"

namespace inkstream::ingest {

enum class InputFormat {
  kDetect,  // by content, whatever the name says
  kNdjson,  // simplified or raw, a drawing a line
  kBin,
  kCsv,
  kJson,  // an array
};

// "ndjson", "raw" (NDJSON too), "bin", "csv", "json"; nullopt: none of these.
std::optional<InputFormat> ParseInputFormat(absl::string_view name);

class InputFormats {
 public:
  // The format of `source`, whose beginning is looked at and nothing more.
  // INVALID_ARGUMENT: it is no file of drawings; errors name the input.
  absl::StatusOr<const DrawingFormat*> Choose(InputFormat format,
                                              PeekedSource* source,
                                              const std::string& name) const;

 private:
  NdjsonFormat ndjson_;
  BinFormat bin_;
  CsvFormat csv_;
  JsonArrayFormat json_;
};

}  // namespace inkstream::ingest

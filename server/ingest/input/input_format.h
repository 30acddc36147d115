// Which format an input has.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/ingest/formats/drawing_format.h"
#include "server/ingest/input/byte_source.h"

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

// The format of `source`, whose beginning is looked at and nothing more.
// INVALID_ARGUMENT: it is no file of drawings; errors name the input.
absl::StatusOr<const DrawingFormat*> ChooseFormat(InputFormat format,
                                                  PeekedSource* source,
                                                  const std::string& name);

}  // namespace inkstream::ingest

// Single columns of a drawing from their texts, shared by the formats.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "inkstream/drawing.h"
#include "server/ingest/json_drawing.h"

namespace inkstream::ingest {

// A decimal number in 1..2^63-1 without leading zeros.
std::optional<int64_t> ParseKeyId(absl::string_view text);

// Each sets its column; false: `error` says why.
bool ReadKeyIdText(absl::string_view text, Drawing* drawing,
                   RecordError* error);
// As Google writes it (timestamp_text.h).
bool ReadTimestampText(absl::string_view text, Drawing* drawing,
                       RecordError* error);
// As Kaggle's files have it: always six digits of fraction, or none, and no
// zone; zeros at the end say nothing there and are left out, as in Google's.
bool ReadCsvTimestamp(absl::string_view text, Drawing* drawing,
                      RecordError* error);
// True, False, true, false.
bool ReadRecognizedText(absl::string_view text, Drawing* drawing,
                        RecordError* error);

// Why a text is not JSON, as a person would say it.
RecordError ExplainJsonError(simdjson::error_code code, absl::string_view text);

// The one bad record of a chunk that holds an overlong one.
void AddOverlong(const RecordChunk& chunk, ParsedChunk* parsed);

}  // namespace inkstream::ingest

// Single columns of a drawing from their texts, and how a value is refused;
// shared by the formats.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "inkstream/drawing.h"
#include "server/ingest/formats/json_drawing.h"

namespace inkstream::ingest {

// Up to it every whole number is a double of its own.
inline constexpr int64_t kMaxExactInDouble = int64_t{1} << 53U;

// Fills `error`; false, for the caller to return.
bool Refuse(RecordError* error, ErrorKind kind, std::string reason);
// The beginning of a value, as reasons show it.
std::string Shown(simdjson::dom::element value);

// A decimal number in 1..2^63-1 without leading zeros.
std::optional<int64_t> ParseKeyId(absl::string_view text);

// Each sets its column; false: `error` says why.
// Also with ".0" behind it, as a table of floats is written, up to 2^53.
bool ReadKeyIdText(absl::string_view text, Drawing* drawing,
                   RecordError* error);
// As ParseIsoTimestamp of timestamp_text.h: what Kaggle's files have (always
// six digits of fraction, or none, and no zone) and pandas writes.
bool ReadIsoTimestamp(absl::string_view text, Drawing* drawing,
                      RecordError* error);
// True, False, true, false, TRUE, FALSE, 1, 0, 1.0, 0.0.
bool ReadRecognizedText(absl::string_view text, Drawing* drawing,
                        RecordError* error);

// Why a text is not JSON, as a person would say it.
RecordError ExplainJsonError(simdjson::error_code code, absl::string_view text);

// The one bad record of a chunk that holds an overlong one.
void AddOverlong(const RecordChunk& chunk, ParsedChunk* parsed);

}  // namespace inkstream::ingest

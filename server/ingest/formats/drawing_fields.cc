#include "server/ingest/formats/drawing_fields.h"

#include <charconv>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/json_text.h"
#include "server/base/timestamp_text.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kMaxShownValue = 40;

bool RefuseText(RecordError* error, ErrorKind kind, absl::string_view field,
                absl::string_view text, absl::string_view expected) {
  return Refuse(
      error, kind,
      absl::StrCat(field, " is \"", PrintableText(text, kMaxShownValue),
                   "\", expected ", expected));
}

bool Contains(absl::string_view text, absl::string_view word) {
  return text.find(word) != absl::string_view::npos;
}

// Whether `word` stands where a value would, not inside a string.
bool HasBareWord(absl::string_view text, absl::string_view word) {
  for (size_t at = text.find(word); at != absl::string_view::npos;
       at = text.find(word, at + 1)) {
    const absl::string_view before = text.substr(0, at);
    const size_t last = before.find_last_not_of(" \t-+");
    if (last != absl::string_view::npos &&
        Contains("[,:", before.substr(last, 1))) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool Refuse(RecordError* error, ErrorKind kind, std::string reason) {
  *error = {kind, std::move(reason)};
  return false;
}

std::string Shown(simdjson::dom::element value) {
  return PrintableText(simdjson::minify(value), kMaxShownValue);
}

std::optional<int64_t> ParseKeyId(absl::string_view text) {
  int64_t key = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, key);
  if (code != std::errc() || stop != end || key < 1 || text[0] == '0') {
    return std::nullopt;
  }
  return key;
}

bool ReadKeyIdText(absl::string_view text, Drawing* drawing,
                   RecordError* error) {
  absl::string_view digits = text;
  const bool of_float = absl::ConsumeSuffix(&digits, ".0");
  drawing->key_id = ParseKeyId(digits);
  if (!drawing->key_id || (of_float && *drawing->key_id > kMaxExactInDouble)) {
    return RefuseText(error, ErrorKind::kBadKeyId, "key_id", text,
                      "a decimal string in 1..9223372036854775807, no leading "
                      "zeros");
  }
  return true;
}

bool ReadIsoTimestamp(absl::string_view text, Drawing* drawing,
                      RecordError* error) {
  drawing->timestamp = ParseIsoTimestamp(text);
  return drawing->timestamp.has_value() ||
         RefuseText(error, ErrorKind::kBadTimestamp, "timestamp", text,
                    "YYYY-MM-DD HH:MM:SS[.ffffff] UTC, or ISO 8601");
}

bool ReadRecognizedText(absl::string_view text, Drawing* drawing,
                        RecordError* error) {
  for (const absl::string_view yes : {"True", "true", "TRUE", "1", "1.0"}) {
    if (text == yes) drawing->recognized = true;
  }
  for (const absl::string_view no : {"False", "false", "FALSE", "0", "0.0"}) {
    if (text == no) drawing->recognized = false;
  }
  return drawing->recognized.has_value() ||
         RefuseText(error, ErrorKind::kBadRecognized, "recognized", text,
                    "True or False");
}

RecordError ExplainJsonError(simdjson::error_code code,
                             absl::string_view text) {
  if (Contains(text, absl::string_view("\0", 1))) {
    // Of an archive behind lines, the first line of each member is glued to it.
    return {ErrorKind::kNulByte,
            absl::StrCat("a NUL byte at byte ",
                         text.find(absl::string_view("\0", 1)), " of the line",
                         Contains(text, "ustar")
                             ? ", which holds the header of a tar archive: its "
                               "files have to be unpacked first"
                             : "")};
  }
  switch (code) {
    case simdjson::UTF8_ERROR:
      return {ErrorKind::kInvalidUtf8, "the line is not valid UTF-8"};
    case simdjson::DEPTH_ERROR:
      return {ErrorKind::kTooDeep,
              absl::StrCat("nested over ", kMaxJsonDepth, " levels deep")};
    default:
      break;
  }
  for (const absl::string_view word : {"NaN", "Infinity", "nan", "inf"}) {
    if (HasBareWord(text, word)) {
      return {ErrorKind::kNotANumber,
              absl::StrCat("not JSON: it has ", word,
                           " where a number was expected")};
    }
  }
  if (code == simdjson::NUMBER_ERROR) {
    return {ErrorKind::kBadNumber, "a number is malformed or beyond 64 bits"};
  }
  return {ErrorKind::kBrokenJson,
          absl::StrCat("not JSON: ", simdjson::error_message(code))};
}

void AddOverlong(const RecordChunk& chunk, ParsedChunk* parsed) {
  const OverlongRecord& record = *chunk.overlong;
  ++parsed->read;
  parsed->errors.Add(ErrorKind::kLineTooLong, chunk.file, record.line,
                     record.offset,
                     absl::StrCat("the line is over the limit of ",
                                  RecordChunk::kMaxRecordBytes, " bytes",
                                  record.hint.empty() ? "" : "; ", record.hint),
                     record.beginning);
}

}  // namespace inkstream::ingest

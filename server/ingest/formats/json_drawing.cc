#include "server/ingest/formats/json_drawing.h"

#include <cmath>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/base/timestamp_text.h"
#include "server/ingest/formats/drawing_fields.h"
#include "server/ingest/formats/json_strokes.h"
#include "server/store/drawing_rules.h"

namespace inkstream::ingest {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

bool ReadText(element value, absl::string_view key, ErrorKind kind,
              std::optional<std::string>* text, RecordError* error) {
  std::string_view found;
  if (value.get(found) != simdjson::SUCCESS) {
    return Refuse(
        error, kind,
        absl::StrCat(key, " is ", Shown(value), ", expected a string"));
  }
  text->emplace(found);
  return true;
}

unsigned BitOf(DrawingField field) {
  return 1U << static_cast<unsigned>(field);
}

// The forms of values that are not Google's, as the report names them.
constexpr char kNumberKey[] = "key_id as a number";
constexpr char kOtherRecognized[] = "recognized as a number or text";
constexpr char kIsoTimestamp[] = "timestamp in ISO 8601";
constexpr char kTextDrawing[] = "drawing as text";

// Counts a value that was taken in another form than Google's.
bool Taken(bool good, const char* form, ParsedChunk* chunk) {
  if (good) chunk->other_forms.Add(form);
  return good;
}

bool ReadKeyId(element value, Drawing* drawing, ParsedChunk* chunk,
               RecordError* error) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    drawing->key_id = ParseKeyId(View(text));
    return drawing->key_id.has_value() ||
           Taken(ReadKeyIdText(View(text), drawing, error), kNumberKey, chunk);
  }
  double number = 0;
  int64_t key = 0;
  if (value.type() == element_type::INT64) {
    key = value.get<int64_t>().value_unsafe();
  } else if (value.get<double>().get(number) == simdjson::SUCCESS &&
             number >= 1 && number <= kMaxExactInDouble &&
             number == std::floor(number)) {
    key = static_cast<int64_t>(number);
  }
  if (key < 1) {
    return Refuse(error, ErrorKind::kBadKeyId,
                  absl::StrCat("key_id is ", Shown(value),
                               ", expected a decimal string or a whole number "
                               "in 1..9223372036854775807"));
  }
  drawing->key_id = key;
  return Taken(true, kNumberKey, chunk);
}

bool ReadTimestamp(element value, Drawing* drawing, ParsedChunk* chunk,
                   RecordError* error) {
  if (value.is<double>()) {
    return Refuse(error, ErrorKind::kBadTimestamp,
                  absl::StrCat("timestamp is the number ", Shown(value),
                               ", expected text; pandas writes it with "
                               "to_json(..., date_format=\"iso\")"));
  }
  std::optional<std::string> text;
  if (!ReadText(value, "timestamp", ErrorKind::kBadTimestamp, &text, error)) {
    return false;
  }
  drawing->timestamp = ParseTimestamp(*text);
  return drawing->timestamp.has_value() ||
         Taken(ReadIsoTimestamp(*text, drawing, error), kIsoTimestamp, chunk);
}

bool ReadRecognized(element value, Drawing* drawing, ParsedChunk* chunk,
                    RecordError* error) {
  bool recognized = false;
  double number = 0;
  std::string_view text;
  if (value.get(recognized) == simdjson::SUCCESS) {
    drawing->recognized = recognized;
    return true;
  }
  if (value.get(text) == simdjson::SUCCESS) {
    return Taken(ReadRecognizedText(View(text), drawing, error),
                 kOtherRecognized, chunk);
  }
  if (value.get<double>().get(number) != simdjson::SUCCESS ||
      (number != 0 && number != 1)) {
    return Refuse(error, ErrorKind::kBadRecognized,
                  absl::StrCat("recognized is ", Shown(value),
                               ", expected true or false"));
  }
  drawing->recognized = number == 1;
  return Taken(true, kOtherRecognized, chunk);
}

bool ReadStrokes(element value, StrokesReader* strokes, Drawing* drawing,
                 ParsedChunk* chunk, RecordError* error) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) {
    return strokes->Read(value, drawing, chunk, error);
  }
  return Taken(strokes->ReadText(View(text), drawing, chunk, error),
               kTextDrawing, chunk);
}

bool ReadField(DrawingField field, element value, StrokesReader* strokes,
               Drawing* drawing, ParsedChunk* chunk, RecordError* error) {
  switch (field) {
    case DrawingField::kDrawing:
      return ReadStrokes(value, strokes, drawing, chunk, error);
    case DrawingField::kWord:
      return ReadText(value, "word", ErrorKind::kBadWord, &drawing->word,
                      error);
    case DrawingField::kCountrycode:
      return ReadText(value, "countrycode", ErrorKind::kBadCountrycode,
                      &drawing->countrycode, error);
    case DrawingField::kTimestamp:
      return ReadTimestamp(value, drawing, chunk, error);
    case DrawingField::kRecognized:
      return ReadRecognized(value, drawing, chunk, error);
    case DrawingField::kKeyId:
      return ReadKeyId(value, drawing, chunk, error);
    case DrawingField::kSplit:
      return ReadText(value, "split", ErrorKind::kBadSplit, &drawing->split,
                      error);
    case DrawingField::kUnknown:
      break;
  }
  return true;
}

}  // namespace

bool ReadJsonDrawing(element object, StrokesReader* strokes, Drawing* drawing,
                     ParsedChunk* chunk, RecordError* error) {
  drawing->Clear();
  simdjson::dom::object fields;
  if (object.get(fields) != simdjson::SUCCESS) {
    return Refuse(error, ErrorKind::kNotAnObject,
                  absl::StrCat("the line is ", Shown(object),
                               ", expected an object {...}"));
  }
  unsigned seen = 0;
  unsigned null = 0;
  bool good = true;
  for (const auto& [name, value] : fields) {
    const DrawingField field = FieldNamed(View(name));
    if (field == DrawingField::kUnknown) {
      chunk->unknown_keys.Add(View(name));
      continue;
    }
    const unsigned bit = BitOf(field);
    if ((seen & bit) != 0) {
      return Refuse(error, ErrorKind::kDuplicateKey,
                    absl::StrCat("the key ", View(name), " stands twice"));
    }
    seen |= bit;
    if (value.is_null()) {
      null |= bit;
      chunk->null_values.Add(View(name));
      continue;
    }
    good = good && ReadField(field, value, strokes, drawing, chunk, error);
  }
  if (!good) return false;
  if ((seen & ~null & BitOf(DrawingField::kDrawing)) == 0) {
    return Refuse(error, ErrorKind::kNoDrawing, "the key drawing is missing");
  }
  if (absl::Status status = store::ValidateDrawing(*drawing); !status.ok()) {
    return Refuse(error, KindOfStoreRule(status.message()),
                  std::string(status.message()));
  }
  return true;
}

}  // namespace inkstream::ingest

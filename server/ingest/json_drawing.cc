#include "server/ingest/json_drawing.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/ingest/drawing_fields.h"
#include "server/ingest/json_strokes.h"
#include "server/ingest/json_text.h"
#include "server/ingest/raw_drawing.h"
#include "server/store/drawing_rules.h"

namespace inkstream::ingest {
namespace {

using simdjson::dom::element;

constexpr size_t kMaxShownValue = 40;

bool Refuse(RecordError* error, ErrorKind kind, std::string reason) {
  error->kind = kind;
  error->reason = std::move(reason);
  return false;
}

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

std::string Shown(element value) {
  return PrintableText(simdjson::minify(value), kMaxShownValue);
}

bool ReadText(element value, absl::string_view key, ErrorKind kind,
              absl::string_view* text, RecordError* error) {
  std::string_view found;
  if (value.get(found) != simdjson::SUCCESS) {
    return Refuse(
        error, kind,
        absl::StrCat(key, " is ", Shown(value), ", expected a string"));
  }
  *text = View(found);
  return true;
}

enum Key {
  kDrawing,
  kWord,
  kCountrycode,
  kTimestamp,
  kRecognized,
  kKeyId,
  kSplit,
  kUnknown
};

Key KeyOf(std::string_view name) {
  switch (name.size()) {
    case 4:
      return name == "word" ? kWord : kUnknown;
    case 5:
      return name == "split" ? kSplit : kUnknown;
    case 6:
      return name == "key_id" ? kKeyId : kUnknown;
    case 7:
      return name == "drawing" ? kDrawing : kUnknown;
    case 9:
      return name == "timestamp" ? kTimestamp : kUnknown;
    case 10:
      return name == "recognized" ? kRecognized : kUnknown;
    case 11:
      return name == "countrycode" ? kCountrycode : kUnknown;
    default:
      return kUnknown;
  }
}

bool ReadField(Key key, element value, RawDrawingReader* raw, Drawing* drawing,
               ParsedChunk* chunk, RecordError* error) {
  absl::string_view text;
  switch (key) {
    case kDrawing:
      return ReadJsonStrokes(value, raw, drawing, chunk, error);
    case kWord:
      if (!ReadText(value, "word", ErrorKind::kBadWord, &text, error)) {
        return false;
      }
      drawing->word.emplace(text.data(), text.size());
      return true;
    case kCountrycode:
      if (!ReadText(value, "countrycode", ErrorKind::kBadCountrycode, &text,
                    error)) {
        return false;
      }
      drawing->countrycode.emplace(text.data(), text.size());
      return true;
    case kTimestamp:
      if (!ReadText(value, "timestamp", ErrorKind::kBadTimestamp, &text,
                    error)) {
        return false;
      }
      return ReadTimestampText(text, drawing, error);
    case kRecognized: {
      bool recognized = false;
      if (value.get(recognized) != simdjson::SUCCESS) {
        return Refuse(error, ErrorKind::kBadRecognized,
                      absl::StrCat("recognized is ", Shown(value),
                                   ", expected true or false"));
      }
      drawing->recognized = recognized;
      return true;
    }
    case kKeyId:
      return ReadText(value, "key_id", ErrorKind::kBadKeyId, &text, error) &&
             ReadKeyIdText(text, drawing, error);
    case kSplit:
      if (!ReadText(value, "split", ErrorKind::kBadSplit, &text, error)) {
        return false;
      }
      drawing->split.emplace(text.data(), text.size());
      return true;
    case kUnknown:
      return true;
  }
  return true;
}

}  // namespace

bool ReadJsonDrawing(element object, RawDrawingReader* raw, Drawing* drawing,
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
    const Key key = KeyOf(name);
    if (key == kUnknown) {
      chunk->unknown_keys.Add(View(name));
      continue;
    }
    const unsigned bit = 1U << key;
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
    good = good && ReadField(key, value, raw, drawing, chunk, error);
  }
  if (!good) return false;
  if ((seen & ~null & (1U << kDrawing)) == 0) {
    return Refuse(error, ErrorKind::kNoDrawing, "the key drawing is missing");
  }
  if (absl::Status status = store::ValidateDrawing(*drawing); !status.ok()) {
    return Refuse(error, KindOfStoreRule(status.message()),
                  std::string(status.message()));
  }
  return true;
}

}  // namespace inkstream::ingest

#include "server/ingest/json_drawing.h"

#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/ingest/drawing_fields.h"
#include "server/ingest/json_text.h"
#include "server/ingest/raw_drawing.h"
#include "server/store/drawing_rules.h"

namespace inkstream::ingest {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr double kMaxCoordinate = 255;
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

// Where in the drawing a coordinate stands, for messages.
struct Axis {
  const char* name;
  size_t stroke;
};

std::string Place(const Axis& axis, size_t point) {
  return absl::StrCat("drawing: ", axis.name, "[", point, "] of stroke ",
                      axis.stroke);
}

bool RefuseCoordinate(element value, const Axis& axis, size_t point,
                      RecordError* error) {
  const std::string place = Place(axis, point);
  if (!value.is<double>()) {
    return Refuse(error, ErrorKind::kNotANumber,
                  absl::StrCat(place, " is ", Shown(value),
                               ", expected a whole number in 0..255"));
  }
  const double number = value.get<double>().value_unsafe();
  const bool whole = number == std::floor(number);
  return Refuse(error, whole ? ErrorKind::kOutOfRange : ErrorKind::kNotWhole,
                absl::StrCat(place, " is ", Shown(value),
                             ", expected a whole number in 0..255",
                             whole ? "" : "; is this a raw file?"));
}

bool ReadAxis(array values, const Axis& axis, std::vector<float>* out,
              RecordError* error) {
  size_t point = 0;
  for (const element value : values) {
    int64_t integer = 0;
    if (value.type() == element_type::INT64) {
      integer = value.get<int64_t>().value_unsafe();
      if (integer < 0 || integer > 255) {
        return RefuseCoordinate(value, axis, point, error);
      }
      out->push_back(static_cast<float>(integer));
    } else {
      // 12.0 is the whole number 12.
      double number = 0;
      if (value.get<double>().get(number) != simdjson::SUCCESS ||
          !(number >= 0 && number <= kMaxCoordinate) ||
          number != std::floor(number)) {
        return RefuseCoordinate(value, axis, point, error);
      }
      out->push_back(static_cast<float>(number));
    }
    ++point;
  }
  return true;
}

bool ReadStroke(element value, size_t stroke, Drawing* drawing,
                RecordError* error) {
  array axes, x, y;
  if (value.get(axes) != simdjson::SUCCESS) {
    return Refuse(error, ErrorKind::kBadDrawing,
                  absl::StrCat("drawing: stroke ", stroke, " is ", Shown(value),
                               ", expected [[x...], [y...]]"));
  }
  if (axes.size() != 2) {
    return Refuse(
        error, ErrorKind::kBadDrawing,
        absl::StrCat("drawing: stroke ", stroke, " has ", axes.size(),
                     " lists, expected two, x and y",
                     axes.size() == 3 ? "; is this a raw file?" : ""));
  }
  if (axes.at(0).get(x) != simdjson::SUCCESS ||
      axes.at(1).get(y) != simdjson::SUCCESS) {
    return Refuse(
        error, ErrorKind::kBadDrawing,
        absl::StrCat("drawing: stroke ", stroke, " is not two lists, x and y"));
  }
  const size_t first = drawing->x.size();
  if (!ReadAxis(x, {"x", stroke}, &drawing->x, error) ||
      !ReadAxis(y, {"y", stroke}, &drawing->y, error)) {
    return false;
  }
  if (drawing->x.size() != drawing->y.size()) {
    return Refuse(error, ErrorKind::kUnequalXy,
                  absl::StrCat("drawing: stroke ", stroke, " has ",
                               drawing->x.size() - first, " x but ",
                               drawing->y.size() - first, " y"));
  }
  if (drawing->x.size() == first) {
    return Refuse(error, ErrorKind::kEmptyStroke,
                  absl::StrCat("drawing: stroke ", stroke, " has no points"));
  }
  drawing->stroke_ends.push_back(static_cast<uint32_t>(drawing->x.size()));
  return true;
}

}  // namespace

bool ReadJsonStrokes(element value, RawDrawingReader* raw, Drawing* drawing,
                     ParsedChunk* chunk, RecordError* error) {
  array strokes;
  if (value.get(strokes) != simdjson::SUCCESS) {
    return Refuse(error, ErrorKind::kBadDrawing,
                  absl::StrCat("drawing is ", Shown(value),
                               ", expected a list of strokes"));
  }
  if (RawDrawingReader::IsRaw(strokes)) {
    if (!raw->Read(strokes, drawing, error)) return false;
    ++(raw->keeps() ? chunk->kept_raw : chunk->simplified);
    return true;
  }
  if (raw->only_raw() && strokes.size() > 0) {
    return Refuse(error, ErrorKind::kBadDrawing,
                  "drawing: its first stroke is not three lists, x, y and t, "
                  "as --format raw expects");
  }
  size_t stroke = 0;
  for (const element each : strokes) {
    if (!ReadStroke(each, stroke++, drawing, error)) return false;
  }
  if (stroke == 0) {
    return Refuse(error, ErrorKind::kNoStrokes, "drawing: no strokes");
  }
  return true;
}

namespace {

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

#include "server/ingest/formats/json_strokes.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/json_text.h"
#include "server/ingest/formats/drawing_fields.h"

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

bool StrokesReader::Read(element value, Drawing* drawing, ParsedChunk* chunk,
                         RecordError* error) {
  array strokes;
  if (value.get(strokes) != simdjson::SUCCESS) {
    return Refuse(error, ErrorKind::kBadDrawing,
                  absl::StrCat("drawing is ", Shown(value),
                               ", expected a list of strokes"));
  }
  if (RawDrawingReader::IsRaw(strokes)) {
    if (!raw_.Read(strokes, drawing, error)) return false;
    ++(raw_.keeps() ? chunk->kept_raw : chunk->simplified);
    return true;
  }
  if (raw_.only_raw() && strokes.size() > 0) {
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

bool StrokesReader::ReadText(absl::string_view text, Drawing* drawing,
                             ParsedChunk* chunk, RecordError* error) {
  if (parser_.capacity() == 0) {
    const simdjson::error_code code =
        parser_.allocate(RecordChunk::kCapacity, kMaxJsonDepth);
    // Without memory here, every text is refused with that reason.
    static_cast<void>(code);
  }
  padded_.assign(text.data(), text.size());
  padded_.append(simdjson::SIMDJSON_PADDING, ' ');
  element strokes;
  const simdjson::error_code code =
      parser_.parse(padded_.data(), text.size(), false).get(strokes);
  if (code != simdjson::SUCCESS) {
    *error = ExplainJsonError(code, text);
    error->reason = absl::StrCat("drawing: ", error->reason);
    return false;
  }
  return Read(strokes, drawing, chunk, error);
}

}  // namespace inkstream::ingest

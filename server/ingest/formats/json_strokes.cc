#include "server/ingest/formats/json_strokes.h"

#include <cmath>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/ingest/formats/drawing_fields.h"
#include "server/store/format.h"
#include "server/store/strokes/raw_codec.h"

namespace inkstream::ingest {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr double kMaxCoordinate = 255;

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
    // 12.0 is the whole number 12.
    double number = 0;
    if (value.get<double>().get(number) != simdjson::SUCCESS ||
        !(number >= 0 && number <= kMaxCoordinate) ||
        number != std::floor(number)) {
      return RefuseCoordinate(value, axis, point, error);
    }
    out->push_back(static_cast<float>(number));
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

// The limits are far beyond any screen and keep the arithmetic of the
// simplifier exact.
struct RawAxis {
  const char* name;
  size_t stroke;
  double limit;
};

bool ReadRawAxis(array values, const RawAxis& axis, std::vector<double>* out,
                 RecordError* error) {
  size_t point = 0;
  for (const element value : values) {
    double number = 0;
    const bool is_number = value.get<double>().get(number) == simdjson::SUCCESS;
    if (!is_number || !(std::fabs(number) <= axis.limit)) {
      return Refuse(
          error, is_number ? ErrorKind::kOutOfRange : ErrorKind::kNotANumber,
          absl::StrCat("drawing: ", axis.name, "[", point, "] of raw stroke ",
                       axis.stroke, " is ", Shown(value),
                       ", expected a number within ", axis.limit));
    }
    out->push_back(number);
    ++point;
  }
  return true;
}

// Only raw drawings have strokes of three lists.
bool IsRaw(array strokes) {
  array first;
  return strokes.size() > 0 && strokes.at(0).get(first) == simdjson::SUCCESS &&
         first.size() == 3;
}

}  // namespace

bool StrokesReader::ReadRawStroke(element value, size_t stroke,
                                  RecordError* error) {
  array axes, x, y, t;
  if (value.get(axes) != simdjson::SUCCESS || axes.size() != 3 ||
      axes.at(0).get(x) != simdjson::SUCCESS ||
      axes.at(1).get(y) != simdjson::SUCCESS ||
      axes.at(2).get(t) != simdjson::SUCCESS) {
    return Refuse(error, ErrorKind::kBadDrawing,
                  absl::StrCat("drawing: raw stroke ", stroke,
                               " is not three lists, x, y and t, as the first "
                               "stroke is"));
  }
  if (x.size() != y.size() || x.size() != t.size()) {
    return Refuse(
        error, ErrorKind::kUnequalXy,
        absl::StrCat("drawing: raw stroke ", stroke, " has ", x.size(), " x, ",
                     y.size(), " y and ", t.size(), " t"));
  }
  if (x.size() == 0) {
    return Refuse(
        error, ErrorKind::kEmptyStroke,
        absl::StrCat("drawing: raw stroke ", stroke, " has no points"));
  }
  if (points_.x.size() + x.size() > store::kMaxPoints) {
    return Refuse(
        error, ErrorKind::kTooLarge,
        absl::StrCat("drawing: more than ", store::kMaxPoints,
                     " raw points; the limit is ", store::kMaxPoints));
  }
  if (!ReadRawAxis(x, {"x", stroke, store::kMaxRawPixel}, &points_.x, error) ||
      !ReadRawAxis(y, {"y", stroke, store::kMaxRawPixel}, &points_.y, error) ||
      !ReadRawAxis(t, {"t", stroke, store::kMaxRawMillis}, &points_.t, error)) {
    return false;
  }
  stroke_ends_.push_back(static_cast<uint32_t>(points_.x.size()));
  return true;
}

bool StrokesReader::ReadRaw(array strokes, Drawing* drawing,
                            RecordError* error) {
  stroke_ends_.clear();
  points_.Clear();
  size_t stroke = 0;
  for (const element value : strokes) {
    if (!ReadRawStroke(value, stroke++, error)) return false;
  }
  if (options_.keep_raw) {
    drawing->stroke_ends = stroke_ends_;
    drawing->raw = points_;
    store::FillCanvas(drawing);
    return true;
  }
  absl::Status status =
      simplifier_.Simplify(stroke_ends_, points_.x, points_.y, drawing);
  if (status.ok()) return true;
  return Refuse(error, ErrorKind::kTooLarge, std::string(status.message()));
}

bool StrokesReader::Read(element value, Drawing* drawing, ParsedChunk* chunk,
                         RecordError* error) {
  array strokes;
  if (value.get(strokes) != simdjson::SUCCESS) {
    return Refuse(error, ErrorKind::kBadDrawing,
                  absl::StrCat("drawing is ", Shown(value),
                               ", expected a list of strokes"));
  }
  if (IsRaw(strokes)) {
    if (!ReadRaw(strokes, drawing, error)) return false;
    ++(options_.keep_raw ? chunk->kept_raw : chunk->simplified);
    return true;
  }
  if (options_.only_raw && strokes.size() > 0) {
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

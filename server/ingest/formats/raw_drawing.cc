#include "server/ingest/formats/raw_drawing.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/json_text.h"
#include "server/store/format.h"
#include "server/store/strokes/raw_codec.h"

namespace inkstream::ingest {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr size_t kMaxShownValue = 40;

// The limits are far beyond any screen and keep the arithmetic of the
// simplifier exact.
struct Axis {
  const char* name;
  size_t stroke;
  double limit;
};

bool Refuse(RecordError* error, ErrorKind kind, std::string reason) {
  error->kind = kind;
  error->reason = std::move(reason);
  return false;
}

bool ReadAxis(array values, const Axis& axis, std::vector<double>* out,
              RecordError* error) {
  size_t point = 0;
  for (const element value : values) {
    double number = 0;
    const bool is_number = value.get<double>().get(number) == simdjson::SUCCESS;
    if (!is_number || !(std::fabs(number) <= axis.limit)) {
      return Refuse(
          error, is_number ? ErrorKind::kOutOfRange : ErrorKind::kNotANumber,
          absl::StrCat("drawing: ", axis.name, "[", point, "] of raw stroke ",
                       axis.stroke, " is ",
                       PrintableText(simdjson::minify(value), kMaxShownValue),
                       ", expected a number within ", axis.limit));
    }
    out->push_back(number);
    ++point;
  }
  return true;
}

}  // namespace

bool RawDrawingReader::IsRaw(array strokes) {
  array first;
  return strokes.size() > 0 && strokes.at(0).get(first) == simdjson::SUCCESS &&
         first.size() == 3;
}

bool RawDrawingReader::ReadStroke(element value, size_t stroke,
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
  if (points_.x.size() + x.size() > kMaxPoints) {
    return Refuse(error, ErrorKind::kTooLarge,
                  absl::StrCat("drawing: more than ", kMaxPoints,
                               " raw points; the limit is ", kMaxPoints));
  }
  if (!ReadAxis(x, {"x", stroke, store::kMaxRawPixel}, &points_.x, error) ||
      !ReadAxis(y, {"y", stroke, store::kMaxRawPixel}, &points_.y, error) ||
      !ReadAxis(t, {"t", stroke, store::kMaxRawMillis}, &points_.t, error)) {
    return false;
  }
  stroke_ends_.push_back(static_cast<uint32_t>(points_.x.size()));
  return true;
}

bool RawDrawingReader::Read(array strokes, Drawing* drawing,
                            RecordError* error) {
  stroke_ends_.clear();
  points_.Clear();
  size_t stroke = 0;
  for (const element value : strokes) {
    if (!ReadStroke(value, stroke++, error)) return false;
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

}  // namespace inkstream::ingest

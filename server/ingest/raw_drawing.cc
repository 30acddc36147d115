#include "server/ingest/raw_drawing.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace inkstream::ingest {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

// Far beyond any screen; keeps the arithmetic of the simplifier exact.
constexpr double kMaxPixel = 1e6;

bool Refuse(RecordError* error, ErrorKind kind, std::string reason) {
  error->kind = kind;
  error->reason = std::move(reason);
  return false;
}

bool ReadAxis(array values, const char* axis, size_t stroke,
              std::vector<double>* out, RecordError* error) {
  size_t point = 0;
  for (const element value : values) {
    double number = 0;
    const bool is_number = value.get<double>().get(number) == simdjson::SUCCESS;
    if (!is_number || !(std::fabs(number) <= kMaxPixel)) {
      return Refuse(
          error, is_number ? ErrorKind::kOutOfRange : ErrorKind::kNotANumber,
          absl::StrCat("drawing: ", axis, "[", point, "] of raw stroke ",
                       stroke, " is ", std::string(simdjson::minify(value)),
                       ", expected a number within ", kMaxPixel, " pixels"));
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
  if (x_.size() + x.size() > kMaxPoints) {
    return Refuse(error, ErrorKind::kTooLarge,
                  absl::StrCat("drawing: more than ", kMaxPoints,
                               " raw points; the limit is ", kMaxPoints));
  }
  if (!ReadAxis(x, "x", stroke, &x_, error) ||
      !ReadAxis(y, "y", stroke, &y_, error)) {
    return false;
  }
  stroke_ends_.push_back(static_cast<uint32_t>(x_.size()));
  return true;
}

bool RawDrawingReader::Read(array strokes, Drawing* drawing,
                            RecordError* error) {
  stroke_ends_.clear();
  x_.clear();
  y_.clear();
  size_t stroke = 0;
  for (const element value : strokes) {
    if (!ReadStroke(value, stroke++, error)) return false;
  }
  absl::Status status = simplifier_.Simplify(stroke_ends_, x_, y_, drawing);
  if (status.ok()) return true;
  return Refuse(error, ErrorKind::kTooLarge, std::string(status.message()));
}

}  // namespace inkstream::ingest

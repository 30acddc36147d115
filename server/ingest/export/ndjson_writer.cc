#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/base/json_text.h"
#include "server/base/timestamp_text.h"
#include "server/ingest/export/drawing_writer.h"

namespace inkstream::ingest {
namespace {

void AppendAxis(absl::Span<const float> values, const char* comma,
                std::string* out) {
  out->push_back('[');
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out->append(comma);
    const auto value = static_cast<uint32_t>(values[i]);
    if (value >= 100) out->push_back(static_cast<char>('0' + value / 100));
    if (value >= 10) out->push_back(static_cast<char>('0' + value / 10 % 10));
    out->push_back(static_cast<char>('0' + value % 10));
  }
  out->push_back(']');
}

// Whole numbers without a point, others in the fewest digits that read back as
// the same double: as JavaScript and Python write them.
void AppendNumber(double value, std::string* out) {
  constexpr double kFewestPlain = 1e-4;
  constexpr double kMostPlain = 1e16;
  char text[400];
  std::to_chars_result end{text, std::errc()};
  const double size = std::fabs(value);
  if (value == std::floor(value) && size < kMostPlain &&
      !(value == 0 && std::signbit(value))) {
    end = std::to_chars(text, text + sizeof(text), static_cast<int64_t>(value));
  } else if (value == 0 || (size >= kFewestPlain && size < kMostPlain)) {
    end = std::to_chars(text, text + sizeof(text), value,
                        std::chars_format::fixed);
    if (value == 0) end.ptr = std::copy_n(".0", 2, end.ptr);
  } else {
    end = std::to_chars(text, text + sizeof(text), value);
  }
  out->append(text, end.ptr);
}

void AppendAxis(absl::Span<const double> values, const char* comma,
                std::string* out) {
  out->push_back('[');
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out->append(comma);
    AppendNumber(values[i], out);
  }
  out->push_back(']');
}

void AppendRawStroke(const RawStrokes& raw, size_t begin, size_t count,
                     const char* comma, std::string* out) {
  const char* separator = "";
  for (const auto* axis : {&raw.x, &raw.y, &raw.t}) {
    out->append(separator);
    AppendAxis(absl::MakeConstSpan(*axis).subspan(begin, count), comma, out);
    separator = comma;
  }
}

class LineWriter {
 public:
  explicit LineWriter(std::string* out) : out_(out) {}

  void Key(absl::string_view name) {
    out_->push_back(first_ ? '{' : ',');
    first_ = false;
    out_->push_back('"');
    out_->append(name.data(), name.size());
    out_->append("\":");
  }

 private:
  std::string* const out_;
  bool first_ = true;
};

}  // namespace

void AppendStrokesJson(const Drawing& drawing, const char* comma,
                       std::string* out) {
  const StrokesView strokes = drawing.strokes();
  out->push_back('[');
  for (size_t s = 0; s < strokes.strokes(); ++s) {
    const size_t begin = strokes.begin(s);
    const size_t count = strokes.end(s) - begin;
    if (s > 0) out->append(comma);
    out->push_back('[');
    if (drawing.raw.empty()) {
      AppendAxis(strokes.x.subspan(begin, count), comma, out);
      out->append(comma);
      AppendAxis(strokes.y.subspan(begin, count), comma, out);
    } else {
      AppendRawStroke(drawing.raw, begin, count, comma, out);
    }
    out->push_back(']');
  }
  out->push_back(']');
}

void AppendNdjsonLine(const Drawing& drawing, std::string* out) {
  LineWriter line(out);
  if (drawing.word.has_value()) {
    line.Key("word");
    AppendJsonString(*drawing.word, out);
  }
  if (drawing.countrycode.has_value()) {
    line.Key("countrycode");
    AppendJsonString(*drawing.countrycode, out);
  }
  if (drawing.timestamp.has_value()) {
    line.Key("timestamp");
    absl::StrAppend(out, "\"", FormatTimestamp(*drawing.timestamp), "\"");
  }
  if (drawing.recognized.has_value()) {
    line.Key("recognized");
    absl::StrAppend(out, *drawing.recognized ? "true" : "false");
  }
  if (drawing.key_id.has_value()) {
    line.Key("key_id");
    absl::StrAppend(out, "\"", *drawing.key_id, "\"");
  }
  if (drawing.split.has_value()) {
    line.Key("split");
    AppendJsonString(*drawing.split, out);
  }
  line.Key("drawing");
  AppendStrokesJson(drawing, ",", out);
  out->append("}\n");
}

}  // namespace inkstream::ingest

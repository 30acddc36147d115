#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/base/timestamp_text.h"
#include "server/ingest/export/drawing_writer.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kSecondsText = sizeof("2017-03-29 09:50:21") - 1;
constexpr size_t kFractionDigits = 6;

void AppendField(absl::string_view text, std::string* out) {
  if (text.find_first_of("\",\r\n") == absl::string_view::npos) {
    out->append(text.data(), text.size());
    return;
  }
  out->push_back('"');
  for (const char c : text) out->append(c == '"' ? 2 : 1, c);
  out->push_back('"');
}

std::string TimeText(Timestamp timestamp) {
  timestamp.trailing_zeros = 0;
  std::string text = FormatTimestamp(timestamp);
  text.resize(text.size() - (sizeof(" UTC") - 1));
  if (text.size() == kSecondsText) text += '.';
  text.resize(kSecondsText + 1 + kFractionDigits, '0');
  return text;
}

}  // namespace

void AppendCsvRow(const Drawing& drawing, std::string* out) {
  if (drawing.countrycode) AppendField(*drawing.countrycode, out);
  out->append(",\"");
  AppendStrokesJson(drawing, ", ", out);
  out->append("\",");
  if (drawing.key_id) absl::StrAppend(out, *drawing.key_id);
  out->push_back(',');
  if (drawing.recognized) out->append(*drawing.recognized ? "True" : "False");
  out->push_back(',');
  if (drawing.timestamp) out->append(TimeText(*drawing.timestamp));
  out->push_back(',');
  if (drawing.word) AppendField(*drawing.word, out);
  out->push_back('\n');
}

}  // namespace inkstream::ingest

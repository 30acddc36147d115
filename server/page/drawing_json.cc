#include "server/page/drawing_json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/timestamp_text.h"

namespace inkstream::page {
namespace {

// As short as it can be written.
Json Number(float value) {
  const double hundredths = std::round(double{value} * 100);
  if (std::fmod(hundredths, 100) == 0) {
    return static_cast<int64_t>(hundredths / 100);
  }
  return hundredths / 100;
}

Json Strokes(const StrokesView& strokes, size_t most) {
  // Each stroke keeps its last point.
  const size_t step =
      strokes.points() / most + (strokes.points() % most > 0 ? 1 : 0);
  Json all = Json::array();
  size_t given = 0;
  for (size_t s = 0; s < strokes.strokes() && given < most; ++s) {
    Json x = Json::array();
    Json y = Json::array();
    Json t = Json::array();
    if (strokes.begin(s) == strokes.end(s)) continue;
    const size_t last = strokes.end(s) - 1;
    for (size_t p = strokes.begin(s); p <= last;
         p = p == last ? p + 1 : std::min(p + step, last)) {
      x.push_back(Number(strokes.x[p]));
      y.push_back(Number(strokes.y[p]));
      if (!strokes.t.empty()) t.push_back(Number(strokes.t[p]));
      ++given;
    }
    Json stroke = {{"x", std::move(x)}, {"y", std::move(y)}};
    if (!strokes.t.empty()) stroke["t"] = std::move(t);
    all.push_back(std::move(stroke));
  }
  return all;
}

template <typename Value>
Json OrNull(const std::optional<Value>& value) {
  return value.has_value() ? Json(*value) : Json();
}

}  // namespace

Json DrawingJson(const batch::InspectedDrawing& inspected, size_t most) {
  const Drawing& drawing = inspected.drawing;
  const StrokesView strokes = drawing.strokes();
  return {
      {"index", inspected.index},
      {"word", OrNull(drawing.word)},
      {"label", inspected.label},
      {"countrycode", OrNull(drawing.countrycode)},
      {"timestamp", drawing.timestamp.has_value()
                        ? Json(FormatTimestamp(*drawing.timestamp))
                        : Json()},
      {"recognized", OrNull(drawing.recognized)},
      // A script's numbers are no longer exact at this size.
      {"key_id", drawing.key_id.has_value()
                     ? Json(absl::StrCat(*drawing.key_id))
                     : Json()},
      {"split", inspected.split},
      {"points", strokes.points()},
      {"strokes", Strokes(strokes, most)},
  };
}

}  // namespace inkstream::page

#include "tests/support/quick_draw_files.h"

#include <simdjson.h>
#include <zlib.h>

#include <filesystem>
#include <stdexcept>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace inkstream::testing {
namespace {

PublishedDrawing Parse(simdjson::dom::parser& parser, const std::string& line) {
  PublishedDrawing published;
  const simdjson::dom::element object = parser.parse(line);
  const simdjson::dom::array strokes = object["drawing"];
  for (const simdjson::dom::array stroke : strokes) {
    const simdjson::dom::array xs = stroke.at(0);
    const simdjson::dom::array ys = stroke.at(1);
    for (const double x : xs) {
      published.drawing.x.push_back(static_cast<float>(x));
    }
    for (const double y : ys) {
      published.drawing.y.push_back(static_cast<float>(y));
    }
    published.drawing.stroke_ends.push_back(
        static_cast<uint32_t>(published.drawing.x.size()));
  }
  std::string_view text;
  if (object["bitmap28"].get(text) == simdjson::SUCCESS) {
    std::string bytes;
    if (!absl::Base64Unescape(absl::string_view(text.data(), text.size()),
                              &bytes)) {
      throw std::runtime_error("bitmap28 is not base64");
    }
    published.bitmap28.assign(bytes.begin(), bytes.end());
  }
  return published;
}

}  // namespace

std::string QuickDrawFile(const std::string& name) {
  const std::filesystem::path path =
      std::filesystem::path(INKSTREAM_SOURCE_DIR) / ".." / "shared" / "data" /
      name;
  return std::filesystem::exists(path) ? path.string() : "";
}

std::vector<PublishedDrawing> ReadPublishedDrawings(const std::string& path,
                                                    size_t most) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("cannot open " + path);
  std::vector<PublishedDrawing> drawings;
  simdjson::dom::parser parser;
  std::string line;
  std::vector<char> buffer(1 << 16);
  while (drawings.size() < most &&
         gzgets(file, buffer.data(), static_cast<int>(buffer.size()))) {
    line += buffer.data();
    if (line.empty() || line.back() != '\n') continue;
    drawings.push_back(Parse(parser, line));
    line.clear();
  }
  if (!line.empty() && drawings.size() < most) {
    drawings.push_back(Parse(parser, line));
  }
  gzclose(file);
  return drawings;
}

}  // namespace inkstream::testing

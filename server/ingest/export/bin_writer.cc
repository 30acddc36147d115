#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/ingest/export/drawing_writer.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::ingest {
namespace {

using store::AppendLittle;

constexpr int64_t kMicrosASecond = 1'000'000;
constexpr size_t kCountryBytes = 2;

absl::Status Cannot(const Drawing& drawing, absl::string_view why) {
  std::string which = "a drawing";
  if (drawing.key_id) which = absl::StrCat("key_id ", *drawing.key_id);
  return absl::InvalidArgumentError(
      absl::StrCat(which, " ", why, ", so the binary format cannot carry it; ",
                   "--format ndjson can"));
}

}  // namespace

absl::Status AppendBinRecord(const Drawing& drawing, std::string* out) {
  if (!drawing.raw.empty()) return Cannot(drawing, "is a raw drawing");
  if (!drawing.key_id) return Cannot(drawing, "has no key_id");
  if (!drawing.recognized) return Cannot(drawing, "has no recognized");
  if (!drawing.countrycode || drawing.countrycode->size() != kCountryBytes) {
    return Cannot(drawing, "has no countrycode of two bytes");
  }
  const int64_t second =
      drawing.timestamp ? drawing.timestamp->micros / kMicrosASecond : -1;
  if (second < 0 || second > std::numeric_limits<uint32_t>::max()) {
    return Cannot(drawing, "has no timestamp in the years 1970 to 2106");
  }
  AppendLittle<uint64_t>(static_cast<uint64_t>(*drawing.key_id), out);
  *out += *drawing.countrycode;
  AppendLittle<int8_t>(*drawing.recognized ? 1 : 0, out);
  AppendLittle<uint32_t>(static_cast<uint32_t>(second), out);
  const StrokesView strokes = drawing.strokes();
  AppendLittle<uint16_t>(static_cast<uint16_t>(strokes.strokes()), out);
  for (size_t s = 0; s < strokes.strokes(); ++s) {
    const size_t begin = strokes.begin(s);
    const size_t count = strokes.end(s) - begin;
    AppendLittle<uint16_t>(static_cast<uint16_t>(count), out);
    for (const auto axis : {strokes.x, strokes.y}) {
      for (const float value : axis.subspan(begin, count)) {
        AppendLittle<uint8_t>(static_cast<uint8_t>(value), out);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace inkstream::ingest

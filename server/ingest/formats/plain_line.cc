#include "server/ingest/formats/plain_line.h"

#include <cstring>

#include "server/base/timestamp_text.h"
#include "server/ingest/formats/byte_numbers.h"
#include "server/ingest/formats/drawing_fields.h"
#include "server/store/format.h"

namespace inkstream::ingest {
namespace {

bool Take(const char** at, const char* end, absl::string_view text) {
  if (static_cast<size_t>(end - *at) < text.size() ||
      std::memcmp(*at, text.data(), text.size()) != 0) {
    return false;
  }
  *at += text.size();
  return true;
}

// Up to the closing quote: printable ASCII without escapes.
bool TakeText(const char** at, const char* end, absl::string_view* text) {
  const char* p = *at;
  if (p == end || *p != '"') return false;
  const char* const begin = ++p;
  while (p != end && *p >= 0x20 && *p != 0x7F && *p != '"' && *p != '\\') ++p;
  if (p == end || *p != '"') return false;
  *text = absl::string_view(begin, static_cast<size_t>(p - begin));
  *at = p + 1;
  return true;
}

}  // namespace

bool PlainLineReader::ReadStrokes(const char** at, const char* end) {
  stroke_ends_.clear();
  points_ = 0;
  const char* p = *at;
  if (!Take(&p, end, "[")) return false;
  for (;;) {
    if (!Take(&p, end, "[[")) return false;
    const size_t xs = TakeByteNumbers(&p, end, x_.data() + points_);
    if (xs == 0 || !Take(&p, end, ",[")) return false;
    const size_t ys = TakeByteNumbers(&p, end, y_.data() + points_);
    if (ys != xs || !Take(&p, end, "]")) return false;
    points_ += xs;
    stroke_ends_.push_back(static_cast<uint32_t>(points_));
    if (Take(&p, end, "]")) break;
    if (!Take(&p, end, ",")) return false;
  }
  *at = p;
  return true;
}

bool PlainLineReader::Read(absl::string_view line,
                           store::PackedDrawings* drawings) {
  enum Seen : unsigned {
    kWord = 1,
    kCountrycode = 2,
    kTimestamp = 4,
    kRecognized = 8,
    kKeyId = 16,
    kDrawing = 32,
  };
  // No list has more numbers than this; the y of a stroke are read behind the
  // points before it too.
  if (x_.size() < line.size()) {
    x_.resize(line.size());
    y_.resize(line.size());
  }
  const char* at = line.data();
  const char* const end = at + line.size();
  unsigned seen = 0;
  absl::string_view text;
  store::FoundDrawing found;
  if (!Take(&at, end, "{")) return false;
  for (;;) {
    unsigned key = 0;
    if (Take(&at, end, "\"word\":")) {
      key = kWord;
      if (!TakeText(&at, end, &found.word) || found.word.empty() ||
          found.word.size() > store::kMaxWordBytes) {
        return false;
      }
    } else if (Take(&at, end, "\"countrycode\":")) {
      key = kCountrycode;
      if (!TakeText(&at, end, &found.countrycode) ||
          found.countrycode.empty() ||
          found.countrycode.size() > store::kMaxCountrycodeBytes) {
        return false;
      }
    } else if (Take(&at, end, "\"timestamp\":")) {
      key = kTimestamp;
      if (!TakeText(&at, end, &text)) return false;
      found.timestamp = ParseTimestamp(text);
      if (!found.timestamp) return false;
    } else if (Take(&at, end, "\"recognized\":")) {
      key = kRecognized;
      found.recognized = Take(&at, end, "true");
      if (!*found.recognized && !Take(&at, end, "false")) return false;
    } else if (Take(&at, end, "\"key_id\":")) {
      key = kKeyId;
      if (!TakeText(&at, end, &text)) return false;
      found.key_id = ParseKeyId(text);
      if (!found.key_id) return false;
    } else if (Take(&at, end, "\"drawing\":")) {
      key = kDrawing;
      if (!ReadStrokes(&at, end)) return false;
    } else {
      return false;
    }
    if ((seen & key) != 0) return false;
    seen |= key;
    if (Take(&at, end, "}")) break;
    if (!Take(&at, end, ",")) return false;
  }
  if (at != end || (seen & kDrawing) == 0 || points_ > store::kMaxPoints) {
    return false;
  }
  found.strokes = {stroke_ends_, {x_.data(), points_}, {y_.data(), points_}};
  drawings->Add(found);
  return true;
}

}  // namespace inkstream::ingest

#include "server/ingest/plain_line.h"

#include <cstring>

#include "absl/status/status.h"
#include "server/ingest/drawing_fields.h"
#include "server/store/drawing_rules.h"

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

// "n,n,...]" into `out`, which has room for all that a line can hold; answers
// how many, 0 where it is anything else.
size_t TakeNumbers(const char** at, const char* end, float* out) {
  const char* p = *at;
  size_t count = 0;
  // A number and what follows it are four bytes at most: three digits and one
  // of ",]".
  for (; end - p >= 4; ++count) {
    uint32_t value = static_cast<uint8_t>(*p++ - '0');
    if (value > 9) return 0;
    uint32_t digit = static_cast<uint8_t>(*p - '0');
    if (digit <= 9) {
      if (value == 0) return 0;
      value = 10 * value + digit;
      digit = static_cast<uint8_t>(*++p - '0');
      if (digit <= 9) {
        value = 10 * value + digit;
        ++p;
        if (value > 255) return 0;
      }
    }
    out[count] = static_cast<float>(value);
    const char next = *p++;
    if (next == ']') {
      *at = p;
      return count + 1;
    }
    if (next != ',') return 0;
  }
  return 0;
}

}  // namespace

bool PlainLineReader::ReadStrokes(const char** at, const char* end) {
  stroke_ends_.clear();
  points_ = 0;
  const char* p = *at;
  if (!Take(&p, end, "[")) return false;
  for (;;) {
    if (!Take(&p, end, "[[")) return false;
    const size_t xs = TakeNumbers(&p, end, x_.data() + points_);
    if (xs == 0 || !Take(&p, end, ",[")) return false;
    const size_t ys = TakeNumbers(&p, end, y_.data() + points_);
    if (ys != xs || !Take(&p, end, "]")) return false;
    points_ += xs;
    stroke_ends_.push_back(static_cast<uint32_t>(points_));
    if (Take(&p, end, "]")) break;
    if (!Take(&p, end, ",")) return false;
  }
  *at = p;
  return true;
}

bool PlainLineReader::Read(absl::string_view line, Drawing* drawing) {
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
  if (!Take(&at, end, "{")) return false;
  for (;;) {
    unsigned key = 0;
    if (Take(&at, end, "\"word\":")) {
      key = kWord;
      if (!TakeText(&at, end, &text)) return false;
      drawing->word.emplace(text.data(), text.size());
    } else if (Take(&at, end, "\"countrycode\":")) {
      key = kCountrycode;
      if (!TakeText(&at, end, &text)) return false;
      drawing->countrycode.emplace(text.data(), text.size());
    } else if (Take(&at, end, "\"timestamp\":")) {
      key = kTimestamp;
      if (!TakeText(&at, end, &text) ||
          !ReadTimestampText(text, drawing, &error_)) {
        return false;
      }
    } else if (Take(&at, end, "\"recognized\":")) {
      key = kRecognized;
      drawing->recognized = Take(&at, end, "true");
      if (!*drawing->recognized && !Take(&at, end, "false")) return false;
    } else if (Take(&at, end, "\"key_id\":")) {
      key = kKeyId;
      if (!TakeText(&at, end, &text) ||
          !ReadKeyIdText(text, drawing, &error_)) {
        return false;
      }
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
  if (at != end || (seen & kDrawing) == 0) return false;
  drawing->stroke_ends = stroke_ends_;
  drawing->x.assign(x_.data(), x_.data() + points_);
  drawing->y.assign(y_.data(), y_.data() + points_);
  return store::ValidateDrawing(*drawing).ok();
}

}  // namespace inkstream::ingest

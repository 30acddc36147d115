#include "server/store/drawing_rules.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/store/format.h"
#include "server/store/writing/split_hash.h"

namespace inkstream::store {
namespace {

// 0001-01-01 and 10000-01-01, 00:00 UTC.
constexpr int64_t kFirstMicros = -62135596800000000;
constexpr int64_t kEndMicros = 253402300800000000;
constexpr uint8_t kMaxTrailingZeros = 6;

// Length of the well-formed UTF-8 character at the front, 0 if there is none.
size_t CharacterLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

absl::Status ValidateText(absl::string_view field, absl::string_view text,
                          size_t max_bytes) {
  if (text.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        field, ": empty; leave the key out where there is no value"));
  }
  if (text.size() > max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        field, ": ", text.size(), " bytes, the limit is ", max_bytes));
  }
  for (size_t i = 0; i < text.size();) {
    const size_t length = CharacterLength(text.substr(i));
    if (length == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, ": not UTF-8 at byte ", i));
    }
    const uint8_t lead = text[i];
    const bool c1 = lead == 0xC2 && static_cast<uint8_t>(text[i + 1]) < 0xA0;
    if (lead < 0x20 || lead == 0x7F || c1) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, ": control character at byte ", i));
    }
    i += length;
  }
  return absl::OkStatus();
}

absl::Status ValidateCoordinates(absl::string_view axis,
                                 const std::vector<float>& values) {
  // Without branches, so that it runs over whole registers; what is not a
  // number is clamped to one that it does not equal.
  int bad = 0;
  for (const float value : values) {
    const int whole = static_cast<int>(std::min(255.0F, std::max(0.0F, value)));
    bad |= static_cast<int>(static_cast<float>(whole) != value);
  }
  if (bad == 0) return absl::OkStatus();
  for (size_t i = 0; i < values.size(); ++i) {
    const float value = values[i];
    if (!(value >= 0 && value <= 255 && value == static_cast<int>(value))) {
      return absl::InvalidArgumentError(
          absl::StrCat("drawing: ", axis, " of point ", i, " is ", value,
                       ", expected a whole number in 0..255"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateRawAxis(absl::string_view axis,
                             const std::vector<double>& values, double limit) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!(std::fabs(values[i]) <= limit)) {
      return absl::InvalidArgumentError(
          absl::StrCat("drawing: raw ", axis, " of point ", i, " is ",
                       values[i], ", the limit is ", limit));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateRaw(const Drawing& drawing) {
  const RawStrokes& raw = drawing.raw;
  const size_t points = drawing.x.size();
  for (const size_t size :
       {raw.x.size(), raw.y.size(), raw.t.size(), drawing.t.size()}) {
    if (size == points) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("drawing: ", points, " points, but ", raw.x.size(),
                     " raw x, ", raw.y.size(), " raw y, ", raw.t.size(),
                     " raw t and ", drawing.t.size(), " t"));
  }
  absl::Status status = ValidateRawAxis("x", raw.x, kMaxRawPixel);
  if (status.ok()) status = ValidateRawAxis("y", raw.y, kMaxRawPixel);
  if (status.ok()) status = ValidateRawAxis("t", raw.t, kMaxRawMillis);
  return status;
}

absl::Status ValidateStrokes(const Drawing& drawing) {
  if (drawing.stroke_ends.empty()) {
    return absl::InvalidArgumentError("drawing: no strokes");
  }
  if (drawing.x.size() != drawing.y.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("drawing: ", drawing.x.size(), " x but ", drawing.y.size(),
                     " y coordinates"));
  }
  if (drawing.x.size() > kMaxPoints) {
    return absl::InvalidArgumentError(absl::StrCat(
        "drawing: ", drawing.x.size(), " points, the limit is ", kMaxPoints));
  }
  uint32_t begin = 0;
  for (size_t s = 0; s < drawing.stroke_ends.size(); ++s) {
    const uint32_t end = drawing.stroke_ends[s];
    if (end <= begin || end > drawing.x.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("drawing: stroke ", s, " has no points"));
    }
    begin = end;
  }
  if (begin != drawing.x.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "drawing: ", drawing.x.size() - begin, " points belong to no stroke"));
  }
  if (!drawing.raw.empty()) return ValidateRaw(drawing);
  if (!drawing.t.empty()) {
    return absl::InvalidArgumentError(
        "drawing: has times; they are kept of raw drawings only");
  }
  if (absl::Status s = ValidateCoordinates("x", drawing.x); !s.ok()) return s;
  return ValidateCoordinates("y", drawing.y);
}

}  // namespace

absl::Status ValidateDrawing(const Drawing& drawing) {
  if (absl::Status s = ValidateStrokes(drawing); !s.ok()) return s;
  if (drawing.word.has_value()) {
    absl::Status s = ValidateText("word", *drawing.word, kMaxWordBytes);
    if (!s.ok()) return s;
  }
  if (drawing.countrycode.has_value()) {
    absl::Status s =
        ValidateText("countrycode", *drawing.countrycode, kMaxCountrycodeBytes);
    if (!s.ok()) return s;
  }
  if (drawing.timestamp.has_value()) {
    const Timestamp& stamp = *drawing.timestamp;
    if (stamp.micros < kFirstMicros || stamp.micros >= kEndMicros) {
      return absl::InvalidArgumentError(
          absl::StrCat("timestamp: ", stamp.micros,
                       " microseconds since 1970 is outside of the years 1 to "
                       "9999"));
    }
    if (stamp.trailing_zeros > kMaxTrailingZeros) {
      return absl::InvalidArgumentError(
          absl::StrCat("timestamp: ", stamp.trailing_zeros,
                       " trailing zeros, the limit is ", kMaxTrailingZeros));
    }
  }
  if (drawing.key_id.has_value() && *drawing.key_id < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "key_id: ", *drawing.key_id, ", expected 1..9223372036854775807"));
  }
  if (drawing.split.has_value() && !IsSplitName(*drawing.split)) {
    return absl::InvalidArgumentError(
        absl::StrCat("split: '", *drawing.split,
                     "' must be 1 to 64 letters, digits, '_', '.' or '-'"));
  }
  return absl::OkStatus();
}

}  // namespace inkstream::store

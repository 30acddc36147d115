#include "server/transport/codec/stroke_wire.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace inkstream::transport {
namespace {

static_assert(std::endian::native == std::endian::little,
              "floats travel as they lie in memory");

enum Flag : uint64_t { kWhole = 1, kTimes = 2, kOccurrence = 4 };
constexpr int kFlagBits = 3;

void AppendVarint(uint64_t value, std::vector<uint8_t>* to) {
  for (; value >= 0x80; value >>= 7U) {
    to->push_back(static_cast<uint8_t>(value | 0x80U));
  }
  to->push_back(static_cast<uint8_t>(value));
}

bool IsByte(float value) {
  // A negative zero is another float than the zero it would come back as.
  return value >= 0 && value <= 255 && value == static_cast<uint8_t>(value) &&
         !std::signbit(value);
}

void AppendBytes(absl::Span<const float> values, std::vector<uint8_t>* to) {
  const size_t start = to->size();
  to->resize(start + values.size());
  uint8_t before = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<uint8_t>(values[i]);
    (*to)[start + i] = static_cast<uint8_t>(value - before);
    before = value;
  }
}

void AppendFloats(absl::Span<const float> values, std::vector<uint8_t>* to) {
  if (values.empty()) return;
  const size_t start = to->size();
  to->resize(start + values.size() * sizeof(float));
  std::memcpy(to->data() + start, values.data(), values.size() * sizeof(float));
}

}  // namespace

void AppendStrokes(const StrokesView& drawing, uint64_t occurrence,
                   std::vector<uint8_t>* encoded) {
  const bool whole = std::all_of(drawing.x.begin(), drawing.x.end(), IsByte) &&
                     std::all_of(drawing.y.begin(), drawing.y.end(), IsByte);
  const uint64_t flags = (whole ? kWhole : 0) |
                         (drawing.t.empty() ? 0 : kTimes) |
                         (occurrence == 0 ? 0 : kOccurrence);
  AppendVarint(uint64_t{drawing.strokes()} << kFlagBits | flags, encoded);
  if (occurrence != 0) AppendVarint(occurrence, encoded);
  for (size_t s = 0; s < drawing.strokes(); ++s) {
    AppendVarint(drawing.end(s) - drawing.begin(s), encoded);
  }
  if (whole) {
    AppendBytes(drawing.x, encoded);
    AppendBytes(drawing.y, encoded);
  } else {
    AppendFloats(drawing.x, encoded);
    AppendFloats(drawing.y, encoded);
  }
  AppendFloats(drawing.t, encoded);
}

absl::Status StrokeWireReader::Next() {
  const auto broken = [](const char* what) {
    return absl::InternalError(absl::StrCat("encoded strokes: ", what));
  };
  uint64_t head = 0;
  if (!ReadVarint(&head)) return broken("they end within a number");
  const uint64_t strokes = head >> kFlagBits;
  // Each has a byte at least.
  if (strokes > left_.size()) return broken("more strokes than bytes");
  occurrence_ = 0;
  if ((head & kOccurrence) != 0 && !ReadVarint(&occurrence_)) {
    return broken("they end within a number");
  }
  stroke_ends_.clear();
  uint64_t points = 0;
  for (uint64_t s = 0; s < strokes; ++s) {
    uint64_t count = 0;
    if (!ReadVarint(&count)) return broken("they end within a number");
    if (count > left_.size()) return broken("more points than bytes");
    points += count;
    if (points > left_.size()) return broken("more points than bytes");
    stroke_ends_.push_back(static_cast<uint32_t>(points));
  }
  const bool read = (head & kWhole) != 0
                        ? ReadBytes(points, &x_) && ReadBytes(points, &y_)
                        : ReadFloats(points, &x_) && ReadFloats(points, &y_);
  if (!read) return broken("they end within a drawing");
  t_.clear();
  if ((head & kTimes) != 0 && !ReadFloats(points, &t_)) {
    return broken("they end within a drawing's times");
  }
  return absl::OkStatus();
}

bool StrokeWireReader::ReadVarint(uint64_t* value) {
  *value = 0;
  for (uint32_t shift = 0; shift < 64 && !left_.empty(); shift += 7) {
    const uint8_t byte = left_.front();
    left_.remove_prefix(1);
    *value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool StrokeWireReader::ReadBytes(size_t points, std::vector<float>* values) {
  if (left_.size() < points) return false;
  values->resize(points);
  uint8_t value = 0;
  for (size_t i = 0; i < points; ++i) {
    value = static_cast<uint8_t>(value + left_[i]);
    (*values)[i] = value;
  }
  left_.remove_prefix(points);
  return true;
}

bool StrokeWireReader::ReadFloats(size_t points, std::vector<float>* values) {
  if (left_.size() / sizeof(float) < points) return false;
  values->resize(points);
  if (points > 0) {
    std::memcpy(values->data(), left_.data(), points * sizeof(float));
  }
  left_.remove_prefix(points * sizeof(float));
  return true;
}

}  // namespace inkstream::transport

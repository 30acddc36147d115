#include "server/rows/stroke_coding.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace inkstream::rows {
namespace {

static_assert(std::endian::native == std::endian::little,
              "floats travel as they lie in memory");

constexpr uint64_t kWhole = 1;  // flags
constexpr uint64_t kTimes = 2;
constexpr int kFlagBits = 2;
constexpr size_t kLongestVarint = 10;

uint8_t* WriteVarint(uint64_t value, uint8_t* out) {
  for (; value >= 0x80; value >>= 7U) {
    *out++ = static_cast<uint8_t>(value | 0x80U);
  }
  *out++ = static_cast<uint8_t>(value);
  return out;
}

// By their bits, without branches, so that several are looked at together: a
// negative zero is another float than the zero it would come back as.
bool AreBytes(absl::Span<const float> values) {
  uint32_t others = 0;
  for (const float value : values) {
    const float in_range = std::min(255.0F, std::max(0.0F, value));
    const auto whole = static_cast<float>(static_cast<int32_t>(in_range));
    others |= std::bit_cast<uint32_t>(whole) ^ std::bit_cast<uint32_t>(value);
  }
  return others == 0;
}

uint8_t* WriteBytes(absl::Span<const float> values, uint8_t* out) {
  uint8_t before = 0;
  for (const float coordinate : values) {
    const auto value = static_cast<uint8_t>(static_cast<int32_t>(coordinate));
    *out++ = static_cast<uint8_t>(value - before);
    before = value;
  }
  return out;
}

uint8_t* WriteDifferences(absl::Span<const uint8_t> values, uint8_t* out) {
  if (values.empty()) return out;
  out[0] = values[0];
  for (size_t i = 1; i < values.size(); ++i) {
    out[i] = static_cast<uint8_t>(values[i] - values[i - 1]);
  }
  return out + values.size();
}

uint8_t* WriteFloats(absl::Span<const float> values, uint8_t* out) {
  if (values.empty()) return out;
  std::memcpy(out, values.data(), values.size() * sizeof(float));
  return out + values.size() * sizeof(float);
}

absl::Status Broken(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("its strokes ", what));
}

bool ReadVarint(absl::Span<const uint8_t>* bytes, uint64_t* value) {
  *value = 0;
  for (uint32_t shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const uint8_t byte = bytes->front();
    bytes->remove_prefix(1);
    *value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool ReadBytes(absl::Span<const uint8_t>* bytes, size_t points,
               std::vector<float>* values) {
  if (bytes->size() < points) return false;
  values->resize(points);
  uint8_t value = 0;
  for (size_t i = 0; i < points; ++i) {
    value = static_cast<uint8_t>(value + (*bytes)[i]);
    (*values)[i] = value;
  }
  bytes->remove_prefix(points);
  return true;
}

bool ReadFloats(absl::Span<const uint8_t>* bytes, size_t points,
                std::vector<float>* values) {
  if (bytes->size() / sizeof(float) < points) return false;
  values->resize(points);
  if (points > 0) {
    std::memcpy(values->data(), bytes->data(), points * sizeof(float));
  }
  bytes->remove_prefix(points * sizeof(float));
  return true;
}

}  // namespace

size_t MostStrokesBytes(const StrokesView& drawing) {
  return kLongestVarint * (1 + drawing.strokes()) +
         sizeof(float) *
             (drawing.x.size() + drawing.y.size() + drawing.t.size());
}

uint8_t* EncodeStrokes(const StrokesView& drawing, uint8_t* out) {
  const bool whole = AreBytes(drawing.x) && AreBytes(drawing.y);
  const uint64_t flags =
      (whole ? kWhole : 0U) | (drawing.t.empty() ? 0U : kTimes);
  out = WriteVarint(uint64_t{drawing.strokes()} << kFlagBits | flags, out);
  for (size_t s = 0; s < drawing.strokes(); ++s) {
    out = WriteVarint(drawing.end(s) - drawing.begin(s), out);
  }
  if (whole) {
    out = WriteBytes(drawing.y, WriteBytes(drawing.x, out));
  } else {
    out = WriteFloats(drawing.y, WriteFloats(drawing.x, out));
  }
  return WriteFloats(drawing.t, out);
}

size_t MostStrokesBytes(absl::Span<const uint32_t> stroke_ends) {
  const size_t points = stroke_ends.empty() ? 0 : stroke_ends.back();
  return kLongestVarint * (1 + stroke_ends.size()) + 2 * points;
}

uint8_t* EncodeStrokes(absl::Span<const uint32_t> stroke_ends,
                       absl::Span<const uint8_t> x, absl::Span<const uint8_t> y,
                       uint8_t* out) {
  out = WriteVarint(uint64_t{stroke_ends.size()} << kFlagBits | kWhole, out);
  uint32_t begin = 0;
  for (const uint32_t end : stroke_ends) {
    out = WriteVarint(end - begin, out);
    begin = end;
  }
  return WriteDifferences(y, WriteDifferences(x, out));
}

absl::StatusOr<StrokesView> StrokesDecoder::Decode(
    absl::Span<const uint8_t> bytes) {
  uint64_t head = 0;
  if (!ReadVarint(&bytes, &head)) return Broken("end within a number");
  const uint64_t strokes = head >> kFlagBits;
  // Each has a byte at least.
  if (strokes > bytes.size()) return Broken("are more than their bytes");
  stroke_ends_.clear();
  uint64_t points = 0;
  for (uint64_t s = 0; s < strokes; ++s) {
    uint64_t count = 0;
    if (!ReadVarint(&bytes, &count)) return Broken("end within a number");
    // Before it is added: the sum cannot overflow.
    if (count > bytes.size() || points + count > bytes.size()) {
      return Broken("have more points than bytes");
    }
    points += count;
    stroke_ends_.push_back(static_cast<uint32_t>(points));
  }
  const bool read =
      (head & kWhole) != 0
          ? ReadBytes(&bytes, points, &x_) && ReadBytes(&bytes, points, &y_)
          : ReadFloats(&bytes, points, &x_) && ReadFloats(&bytes, points, &y_);
  if (!read) return Broken("end within a coordinate");
  t_.clear();
  if ((head & kTimes) != 0 && !ReadFloats(&bytes, points, &t_)) {
    return Broken("end within their times");
  }
  if (!bytes.empty()) return Broken("go on behind their end");
  return StrokesView{stroke_ends_, x_, y_, t_};
}

}  // namespace inkstream::rows

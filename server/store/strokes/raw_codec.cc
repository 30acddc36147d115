#include "server/store/strokes/raw_codec.h"

#include <zstd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/store/format.h"
#include "server/store/segment/endian_io.h"
#include "server/store/strokes/raw_number.h"

namespace inkstream::store {
namespace {

constexpr uint8_t kPlain = 0;
constexpr uint8_t kZstd = 1;
// Larger ones gain less than a percent and cost several times the time.
constexpr int kZstdLevel = 3;
// Three axes of doubles and a count a stroke: no body is longer.
constexpr uint64_t kMaxBody = uint64_t{kMaxPoints} * (3 * 8 + 3) + 64;

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

absl::Status Broken(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("raw record: ", what));
}

void AppendBody(const Drawing& drawing, std::string* body) {
  AppendVarint(drawing.stroke_ends.size(), body);
  uint32_t begin = 0;
  for (const uint32_t end : drawing.stroke_ends) {
    AppendVarint(end - begin - 1, body);
    begin = end;
  }
  AppendRawNumbers(drawing.raw.x, body);
  AppendRawNumbers(drawing.raw.y, body);
  AppendRawNumbers(drawing.raw.t, body);
}

absl::Status ReadBody(absl::string_view body, Drawing* drawing) {
  LittleReader in(body);
  const uint64_t strokes = ReadVarint(&in);
  if (!in.ok() || strokes == 0 || strokes > kMaxPoints ||
      strokes > in.remaining()) {
    return Broken("its number of strokes is impossible");
  }
  drawing->stroke_ends.clear();
  uint64_t points = 0;
  for (uint64_t s = 0; s < strokes; ++s) {
    const uint64_t more = ReadVarint(&in);
    if (!in.ok() || more >= kMaxPoints) return Broken("a stroke is too long");
    points += more + 1;
    if (points > kMaxPoints) {
      return Broken("more points than a drawing may have");
    }
    drawing->stroke_ends.push_back(static_cast<uint32_t>(points));
  }
  for (auto* axis : {&drawing->raw.x, &drawing->raw.y, &drawing->raw.t}) {
    if (!ReadRawNumbers(points, &in, axis)) return Broken("a number is broken");
    const double limit = axis == &drawing->raw.t ? kMaxRawMillis : kMaxRawPixel;
    for (const double value : *axis) {
      if (!(std::fabs(value) <= limit)) return Broken("a number is too large");
    }
  }
  return in.done() ? absl::OkStatus() : Broken("bytes are left over");
}

constexpr double kSide = 255.0;

void FillAxis(const std::vector<double>& raw, double least, double range,
              std::vector<float>* axis) {
  axis->resize(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    (*axis)[i] = static_cast<float>((raw[i] - least) * kSide / range);
  }
}

}  // namespace

void EncodeRawRecord(const Drawing& drawing, std::string* out) {
  thread_local std::string body;
  thread_local std::string packed;
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeCompressor> context(
      ZSTD_createCCtx());
  body.clear();
  AppendBody(drawing, &body);
  packed.resize(ZSTD_compressBound(body.size()));
  const size_t size =
      ZSTD_compressCCtx(context.get(), packed.data(), packed.size(),
                        body.data(), body.size(), kZstdLevel);
  if (!ZSTD_isError(size) && size + sizeof(uint32_t) < body.size()) {
    AppendLittle<uint8_t>(kZstd, out);
    AppendLittle<uint32_t>(static_cast<uint32_t>(body.size()), out);
    out->append(packed, 0, size);
    return;
  }
  AppendLittle<uint8_t>(kPlain, out);
  *out += body;
}

absl::Status DecodeRawRecord(absl::string_view record, Drawing* drawing) {
  LittleReader in(record);
  const uint8_t codec = in.Read<uint8_t>();
  if (!in.ok()) return Broken("it is empty");
  if (codec == kPlain) return ReadBody(in.ReadBytes(in.remaining()), drawing);
  const uint32_t size = in.Read<uint32_t>();
  if (codec != kZstd || !in.ok() || size > kMaxBody) {
    return Broken("its coding is unknown");
  }
  thread_local std::string body;
  body.resize(size);
  const absl::string_view packed = in.ReadBytes(in.remaining());
  const size_t found =
      ZSTD_decompress(body.data(), size, packed.data(), packed.size());
  if (ZSTD_isError(found) || found != size) {
    return Broken("its compressed bytes are damaged");
  }
  return ReadBody(body, drawing);
}

void FillCanvas(Drawing* drawing) {
  const RawStrokes& raw = drawing->raw;
  const auto [least_x, most_x] =
      std::minmax_element(raw.x.begin(), raw.x.end());
  const auto [least_y, most_y] =
      std::minmax_element(raw.y.begin(), raw.y.end());
  double range = std::max(*most_x - *least_x, *most_y - *least_y);
  if (!(range > 0)) range = kSide;
  FillAxis(raw.x, *least_x, range, &drawing->x);
  FillAxis(raw.y, *least_y, range, &drawing->y);
  drawing->t.resize(raw.t.size());
  for (size_t i = 0; i < raw.t.size(); ++i) {
    drawing->t[i] = static_cast<float>(raw.t[i] - raw.t[0]);
  }
}

}  // namespace inkstream::store

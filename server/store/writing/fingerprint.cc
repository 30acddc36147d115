#include "server/store/writing/fingerprint.h"

#include <algorithm>

#include "server/store/format.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::store {
namespace {

constexpr char kDomain[] = "inkstream fingerprint 1\n";
constexpr uint8_t kByteCoordinates = 0;
constexpr uint8_t kRawCoordinates = 1;

void AppendText(const std::string& text, std::string* out) {
  AppendLittle<uint32_t>(static_cast<uint32_t>(text.size()), out);
  *out += text;
}

// Whole numbers in 0..255.
void AppendBytes(const std::vector<float>& values, std::string* out) {
  const size_t before = out->size();
  out->resize(before + values.size());
  auto* const to = reinterpret_cast<uint8_t*>(out->data() + before);
  for (size_t i = 0; i < values.size(); ++i) {
    to[i] = static_cast<uint8_t>(static_cast<int>(values[i]));
  }
}

}  // namespace

void AppendCanonical(const Drawing& drawing, std::string* out) {
  const uint8_t present =
      drawing.word.has_value() | drawing.countrycode.has_value() << 1 |
      drawing.timestamp.has_value() << 2 | drawing.recognized.has_value() << 3 |
      drawing.key_id.has_value() << 4;
  const bool raw = !drawing.raw.empty();
  AppendLittle<uint8_t>(raw ? kRawCoordinates : kByteCoordinates, out);
  AppendLittle<uint8_t>(present, out);
  AppendLittle<uint32_t>(static_cast<uint32_t>(drawing.stroke_ends.size()),
                         out);
  out->append(reinterpret_cast<const char*>(drawing.stroke_ends.data()),
              drawing.stroke_ends.size() * sizeof(uint32_t));
  if (raw) {
    for (const auto* axis : {&drawing.raw.x, &drawing.raw.y, &drawing.raw.t}) {
      for (const double value : *axis) AppendLittle(value, out);
    }
  } else {
    AppendBytes(drawing.x, out);
    AppendBytes(drawing.y, out);
  }
  if (drawing.word) AppendText(*drawing.word, out);
  if (drawing.countrycode) AppendText(*drawing.countrycode, out);
  if (drawing.timestamp) {
    AppendLittle<int64_t>(drawing.timestamp->micros, out);
    AppendLittle<uint8_t>(drawing.timestamp->trailing_zeros, out);
  }
  if (drawing.recognized) AppendLittle<uint8_t>(*drawing.recognized, out);
  if (drawing.key_id) AppendLittle<int64_t>(*drawing.key_id, out);
}

void FingerprintFold::Add(absl::Span<const Digest> drawings) {
  while (!drawings.empty()) {
    const size_t count =
        std::min<size_t>(kFoldRun - drawings_ % kFoldRun, drawings.size());
    open_run_.Update(AsBytes(drawings.first(count)));
    drawings_ += count;
    drawings.remove_prefix(count);
    if (drawings_ % kFoldRun == 0) runs_.push_back(open_run_.Finish());
  }
}

void FingerprintFold::AddRun(const Digest& run) {
  runs_.push_back(run);
  drawings_ += kFoldRun;
}

std::string FingerprintFold::Finish() {
  if (drawings_ % kFoldRun != 0) runs_.push_back(open_run_.Finish());
  std::string all(kDomain);
  AppendLittle<uint64_t>(drawings_, &all);
  for (const Digest& run : runs_) {
    all.append(AsBytes(run).data(), AsBytes(run).size());
  }
  Sha256 sha;
  sha.Update(all);
  return ToHex(sha.Finish());
}

}  // namespace inkstream::store

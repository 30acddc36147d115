#include "server/store/writing/packed_drawings.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "server/store/format.h"
#include "server/store/segment/endian_io.h"
#include "server/store/strokes/raw_codec.h"
#include "server/store/writing/fingerprint.h"

namespace inkstream::store {
namespace {

// Bits of a drawing's second byte.
enum Present : uint8_t {
  kWord = 1,
  kCountrycode = 2,
  kTimestamp = 4,
  kRecognized = 8,
  kKeyId = 16,
};

// Kind, presence, number of strokes.
constexpr size_t kHead = 6;
constexpr size_t kTimestampBytes = 9;
// Hostile input has a name a drawing.
constexpr ptrdiff_t kSearchedSplits = 16;
// Of raw drawings: x, y and t are doubles.
constexpr size_t kRawPointBytes = 24;

template <typename T>
void Put(T value, char** at) {
  std::memcpy(*at, &value, sizeof(T));
  *at += sizeof(T);
}

void PutBytes(const void* bytes, size_t count, char** at) {
  if (count > 0) std::memcpy(*at, bytes, count);
  *at += count;
}

void PutText(absl::string_view text, char** at) {
  Put(static_cast<uint32_t>(text.size()), at);
  PutBytes(text.data(), text.size(), at);
}

// Of bytes that Add() has made.
PackedDrawing ReadCanonical(absl::string_view bytes) {
  PackedDrawing drawing;
  LittleReader in(bytes);
  drawing.canonical = bytes;
  drawing.raw = in.Read<uint8_t>() != 0;
  const uint8_t present = in.Read<uint8_t>();
  drawing.strokes = in.Read<uint32_t>();
  const absl::string_view ends =
      in.ReadBytes(uint64_t{drawing.strokes} * sizeof(uint32_t));
  drawing.stroke_ends = ends.data();
  drawing.points =
      LoadLittle<uint32_t>(ends.data() + ends.size() - sizeof(uint32_t));
  if (drawing.raw) {
    in.ReadBytes(uint64_t{drawing.points} * kRawPointBytes);
  } else {
    const absl::string_view points = in.ReadBytes(uint64_t{drawing.points} * 2);
    drawing.x = reinterpret_cast<const uint8_t*>(points.data());
    drawing.y = drawing.x + drawing.points;
  }
  if (present & kWord) drawing.word = in.ReadBytes(in.Read<uint32_t>());
  if (present & kCountrycode) {
    drawing.countrycode = in.ReadBytes(in.Read<uint32_t>());
  }
  if (present & kTimestamp) {
    const int64_t micros = in.Read<int64_t>();
    drawing.timestamp = Timestamp{micros, in.Read<uint8_t>()};
  }
  if (present & kRecognized) drawing.recognized = in.Read<uint8_t>() != 0;
  if (present & kKeyId) drawing.key_id = in.Read<int64_t>();
  return drawing;
}

}  // namespace

void PackedDrawings::Reserve(size_t drawings, size_t bytes) {
  bytes_.reserve(bytes);
  ends_.reserve(drawings);
  points_.reserve(drawings);
}

void PackedDrawings::Add(const Drawing& drawing) {
  AppendCanonical(drawing, &bytes_);
  Close(static_cast<uint32_t>(drawing.x.size()));
  if (drawing.split.has_value()) SetSplit(size() - 1, *drawing.split);
}

// As AppendCanonical, for what is bytes already.
void PackedDrawings::Add(const FoundDrawing& drawing) {
  const ByteStrokes& strokes = drawing.strokes;
  const bool has_word = !drawing.word.empty();
  const bool has_country = !drawing.countrycode.empty();
  const size_t size =
      kHead + strokes.strokes() * sizeof(uint32_t) + 2 * strokes.points() +
      (has_word ? sizeof(uint32_t) + drawing.word.size() : 0) +
      (has_country ? sizeof(uint32_t) + drawing.countrycode.size() : 0) +
      (drawing.timestamp ? kTimestampBytes : 0) + (drawing.recognized ? 1 : 0) +
      (drawing.key_id ? sizeof(int64_t) : 0);
  const size_t before = bytes_.size();
  bytes_.resize(before + size);
  char* at = bytes_.data() + before;
  Put<uint8_t>(0, &at);
  Put<uint8_t>((has_word ? kWord : 0) | (has_country ? kCountrycode : 0) |
                   (drawing.timestamp ? kTimestamp : 0) |
                   (drawing.recognized ? kRecognized : 0) |
                   (drawing.key_id ? kKeyId : 0),
               &at);
  Put(static_cast<uint32_t>(strokes.strokes()), &at);
  PutBytes(strokes.stroke_ends.data(), strokes.strokes() * sizeof(uint32_t),
           &at);
  PutBytes(strokes.x.data(), strokes.points(), &at);
  PutBytes(strokes.y.data(), strokes.points(), &at);
  if (has_word) PutText(drawing.word, &at);
  if (has_country) PutText(drawing.countrycode, &at);
  if (drawing.timestamp) {
    Put(drawing.timestamp->micros, &at);
    Put(drawing.timestamp->trailing_zeros, &at);
  }
  if (drawing.recognized) Put<uint8_t>(*drawing.recognized, &at);
  if (drawing.key_id) Put(*drawing.key_id, &at);
  Close(static_cast<uint32_t>(strokes.points()));
}

void PackedDrawings::Add(const PackedDrawings& from, size_t i) {
  const absl::string_view bytes = from.canonical(i);
  bytes_.append(bytes.data(), bytes.size());
  Close(from.points(i));
  if (const std::string* split = from.split(i)) SetSplit(size() - 1, *split);
}

PackedDrawing PackedDrawings::operator[](size_t i) const {
  return ReadCanonical(canonical(i));
}

void PackedDrawings::SetSplit(size_t i, absl::string_view name) {
  split_of_.resize(size());
  // The last one nearly always; a name may stand twice.
  const auto end = splits_.size() > kSearchedSplits
                       ? splits_.rbegin() + kSearchedSplits
                       : splits_.rend();
  auto at = std::find(splits_.rbegin(), end, name);
  if (at == end) {
    splits_.emplace_back(name);
    at = splits_.rbegin();
  }
  split_of_[i] = static_cast<uint32_t>(splits_.rend() - at);
}

bool PackedDrawings::operator==(const PackedDrawings& other) const {
  if (bytes_ != other.bytes_ || ends_ != other.ends_) return false;
  for (size_t i = 0; i < size(); ++i) {
    const std::string* const mine = split(i);
    const std::string* const theirs = other.split(i);
    if ((mine == nullptr) != (theirs == nullptr)) return false;
    if (mine != nullptr && *mine != *theirs) return false;
  }
  return true;
}

void PackedDrawings::Unpack(size_t i, Drawing* drawing) const {
  const PackedDrawing packed = (*this)[i];
  drawing->Clear();
  drawing->stroke_ends.resize(packed.strokes);
  std::memcpy(drawing->stroke_ends.data(), packed.stroke_ends,
              packed.strokes * sizeof(uint32_t));
  if (packed.raw) {
    const char* at = packed.stroke_ends + packed.strokes * sizeof(uint32_t);
    RawStrokes& raw = drawing->raw;
    for (std::vector<double>* axis : {&raw.x, &raw.y, &raw.t}) {
      axis->resize(packed.points);
      std::memcpy(axis->data(), at, packed.points * sizeof(double));
      at += packed.points * sizeof(double);
    }
    FillCanvas(drawing);
  } else {
    drawing->x.assign(packed.x, packed.x + packed.points);
    drawing->y.assign(packed.y, packed.y + packed.points);
  }
  if (packed.word) drawing->word.emplace(*packed.word);
  if (packed.countrycode) drawing->countrycode.emplace(*packed.countrycode);
  drawing->timestamp = packed.timestamp;
  drawing->recognized = packed.recognized;
  drawing->key_id = packed.key_id;
  if (const std::string* name = split(i)) drawing->split = *name;
}

std::vector<Drawing> PackedDrawings::Unpack() const {
  std::vector<Drawing> drawings(size());
  for (size_t i = 0; i < size(); ++i) Unpack(i, &drawings[i]);
  return drawings;
}

}  // namespace inkstream::store

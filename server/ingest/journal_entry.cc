#include "server/ingest/journal_entry.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "server/store/endian_io.h"

namespace inkstream::ingest {
namespace {

using store::AppendLittle;
using store::LittleReader;

// Bits of a drawing's first byte.
enum : uint8_t {
  kWord = 1,
  kCountrycode = 2,
  kTimestamp = 4,
  kRecognized = 8,
  kKeyId = 16,
  kSplit = 32,
  kRaw = 64,
};

void AppendText(absl::string_view text, std::string* out) {
  AppendLittle<uint32_t>(static_cast<uint32_t>(text.size()), out);
  out->append(text.data(), text.size());
}

std::string ReadText(LittleReader* in) {
  const uint32_t size = in->Read<uint32_t>();
  return std::string(in->ReadBytes(size));
}

template <typename T>
void AppendNumbers(const std::vector<T>& numbers, std::string* out) {
  AppendLittle<uint32_t>(static_cast<uint32_t>(numbers.size()), out);
  out->append(reinterpret_cast<const char*>(numbers.data()),
              numbers.size() * sizeof(T));
}

template <typename T>
void ReadNumbers(LittleReader* in, std::vector<T>* numbers) {
  const uint64_t bytes = uint64_t{in->Read<uint32_t>()} * sizeof(T);
  const absl::string_view raw = in->ReadBytes(bytes);
  numbers->resize(raw.size() / sizeof(T));
  if (!raw.empty()) std::memcpy(numbers->data(), raw.data(), raw.size());
}

// Coordinates of simplified drawings are whole numbers in 0..255.
void AppendBytes(const std::vector<float>& values, std::string* out) {
  AppendLittle<uint32_t>(static_cast<uint32_t>(values.size()), out);
  for (const float value : values) {
    out->push_back(static_cast<char>(static_cast<uint8_t>(value)));
  }
}

void ReadBytes(LittleReader* in, std::vector<float>* values) {
  const absl::string_view raw = in->ReadBytes(in->Read<uint32_t>());
  values->resize(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    (*values)[i] = static_cast<uint8_t>(raw[i]);
  }
}

void AppendDrawing(const Drawing& drawing, std::string* out) {
  const bool raw = !drawing.raw.empty();
  out->push_back(static_cast<char>(
      (drawing.word ? kWord : 0) | (drawing.countrycode ? kCountrycode : 0) |
      (drawing.timestamp ? kTimestamp : 0) |
      (drawing.recognized ? kRecognized : 0) | (drawing.key_id ? kKeyId : 0) |
      (drawing.split ? kSplit : 0) | (raw ? kRaw : 0)));
  AppendNumbers(drawing.stroke_ends, out);
  if (raw) {
    for (const auto* axis : {&drawing.x, &drawing.y, &drawing.t}) {
      AppendNumbers(*axis, out);
    }
    for (const auto* axis : {&drawing.raw.x, &drawing.raw.y, &drawing.raw.t}) {
      AppendNumbers(*axis, out);
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
  if (drawing.split) AppendText(*drawing.split, out);
}

void ReadDrawing(LittleReader* in, Drawing* drawing) {
  const uint8_t has = in->Read<uint8_t>();
  ReadNumbers(in, &drawing->stroke_ends);
  if (has & kRaw) {
    for (auto* axis : {&drawing->x, &drawing->y, &drawing->t}) {
      ReadNumbers(in, axis);
    }
    for (auto* axis : {&drawing->raw.x, &drawing->raw.y, &drawing->raw.t}) {
      ReadNumbers(in, axis);
    }
  } else {
    ReadBytes(in, &drawing->x);
    ReadBytes(in, &drawing->y);
  }
  if (has & kWord) drawing->word = ReadText(in);
  if (has & kCountrycode) drawing->countrycode = ReadText(in);
  if (has & kTimestamp) {
    const int64_t micros = in->Read<int64_t>();
    drawing->timestamp = Timestamp{micros, in->Read<uint8_t>()};
  }
  if (has & kRecognized) drawing->recognized = in->Read<uint8_t>() != 0;
  if (has & kKeyId) drawing->key_id = in->Read<int64_t>();
  if (has & kSplit) drawing->split = ReadText(in);
}

void AppendCounts(const KeyCounts& keys, std::string* out) {
  AppendLittle<uint32_t>(static_cast<uint32_t>(keys.counts().size()), out);
  for (const auto& [name, count] : keys.counts()) {
    AppendText(name, out);
    AppendLittle<uint64_t>(count, out);
  }
}

void ReadCounts(LittleReader* in, KeyCounts* keys) {
  for (uint32_t n = in->Read<uint32_t>(); n > 0 && in->ok(); --n) {
    const std::string name = ReadText(in);
    keys->Add(name, in->Read<uint64_t>());
  }
}

}  // namespace

void AppendEntry(const JournalEntry& entry, std::string* out) {
  const ParsedChunk& chunk = entry.chunk;
  for (const uint64_t number :
       {entry.place.file, entry.place.offset, entry.place.line,
        entry.kept_before, chunk.read, chunk.simplified, chunk.kept_raw}) {
    AppendLittle(number, out);
  }
  AppendLittle<uint8_t>(entry.sum, out);
  AppendText(chunk.errors.Serialize(), out);
  AppendCounts(chunk.unknown_keys, out);
  AppendCounts(chunk.null_values, out);
  AppendLittle<uint32_t>(static_cast<uint32_t>(chunk.drawings.size()), out);
  for (const Drawing& drawing : chunk.drawings) AppendDrawing(drawing, out);
}

absl::Status ParseEntry(absl::string_view bytes, JournalEntry* entry) {
  LittleReader in(bytes);
  ParsedChunk& chunk = entry->chunk;
  for (uint64_t* number :
       {&entry->place.file, &entry->place.offset, &entry->place.line,
        &entry->kept_before, &chunk.read, &chunk.simplified, &chunk.kept_raw}) {
    *number = in.Read<uint64_t>();
  }
  entry->sum = in.Read<uint8_t>() != 0;
  const bool errors = chunk.errors.Parse(ReadText(&in));
  ReadCounts(&in, &chunk.unknown_keys);
  ReadCounts(&in, &chunk.null_values);
  for (uint32_t n = in.Read<uint32_t>(); n > 0 && in.ok(); --n) {
    ReadDrawing(&in, &chunk.drawings.emplace_back());
  }
  if (errors && in.done()) return absl::OkStatus();
  return absl::DataLossError("not an entry of a journal");
}

}  // namespace inkstream::ingest

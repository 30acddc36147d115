#include "server/ingest/journal_entry.h"

#include <utility>

#include "absl/status/statusor.h"
#include "server/store/endian_io.h"

namespace inkstream::ingest {
namespace {

using store::AppendLittle;
using store::LittleReader;

// Entries of releases that wrote drawings in other ways have another one.
constexpr uint32_t kMark = 0x324A4B49;  // "IKJ2"

void AppendText(absl::string_view text, std::string* out) {
  AppendLittle<uint32_t>(static_cast<uint32_t>(text.size()), out);
  out->append(text.data(), text.size());
}

std::string ReadText(LittleReader* in) {
  const uint32_t size = in->Read<uint32_t>();
  return std::string(in->ReadBytes(size));
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
  AppendLittle(kMark, out);
  for (const uint64_t number :
       {entry.place.file, entry.place.offset, entry.place.line,
        entry.kept_before, chunk.read, chunk.simplified, chunk.kept_raw}) {
    AppendLittle(number, out);
  }
  AppendLittle<uint8_t>(entry.sum, out);
  AppendText(chunk.errors.Serialize(), out);
  AppendCounts(chunk.unknown_keys, out);
  AppendCounts(chunk.null_values, out);
  chunk.drawings.Serialize(out);
}

absl::Status ParseEntry(absl::string_view bytes, JournalEntry* entry) {
  LittleReader in(bytes);
  ParsedChunk& chunk = entry->chunk;
  if (in.Read<uint32_t>() != kMark) {
    return absl::DataLossError("not an entry of a journal of this release");
  }
  for (uint64_t* number :
       {&entry->place.file, &entry->place.offset, &entry->place.line,
        &entry->kept_before, &chunk.read, &chunk.simplified, &chunk.kept_raw}) {
    *number = in.Read<uint64_t>();
  }
  entry->sum = in.Read<uint8_t>() != 0;
  const bool errors = chunk.errors.Parse(ReadText(&in));
  ReadCounts(&in, &chunk.unknown_keys);
  ReadCounts(&in, &chunk.null_values);
  if (!errors || !in.ok()) {
    return absl::DataLossError("not an entry of a journal");
  }
  absl::StatusOr<store::PackedDrawings> drawings =
      store::PackedDrawings::Parse(in.ReadBytes(in.remaining()));
  if (!drawings.ok()) return drawings.status();
  chunk.drawings = *std::move(drawings);
  return absl::OkStatus();
}

}  // namespace inkstream::ingest

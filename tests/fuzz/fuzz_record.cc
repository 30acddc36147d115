// Any bytes as each value of a store: records, blocks, runs of columns, tables,
// models, a manifest, and (patched into a good one) a whole segment file.
// Checksums are put right first, so that mutations reach what is behind them.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/store/drawing_rules.h"
#include "server/store/generation/manifest.h"
#include "server/store/segment/block_layout.h"
#include "server/store/segment/checksum.h"
#include "server/store/segment/column_codec.h"
#include "server/store/segment/lmdb_file.h"
#include "server/store/segment/segment_header.h"
#include "server/store/segment/table_value.h"
#include "server/store/strokes/raw_codec.h"
#include "server/store/strokes/record_codec.h"
#include "server/store/strokes/stroke_model.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz_record: %s\n", what);
  std::abort();
}

const StrokeModel& Model() {
  static const std::shared_ptr<const StrokeModel>* const model =
      new std::shared_ptr<const StrokeModel>(StrokeModelTrainer().Train());
  return **model;
}

// What decodes is a drawing, and the same drawing after another round.
void FuzzRecord(const std::string& bytes) {
  const std::string framed = std::string(kRecordMargin, '\xA5') + bytes +
                             std::string(kRecordMargin, '\x5A');
  RecordScratch scratch;
  const auto found = DecodeRecord(
      Model(), absl::string_view(framed).substr(kRecordMargin, bytes.size()),
      &scratch);
  if (!found.ok()) return;
  Drawing drawing;
  drawing.stroke_ends.assign(found->stroke_ends.begin(),
                             found->stroke_ends.end());
  drawing.x.assign(found->x.begin(), found->x.end());
  drawing.y.assign(found->y.begin(), found->y.end());
  Require(ValidateDrawing(drawing).ok(), "a decoded record breaks the rules");
  const auto strokes = DecodeBytes(
      Model(), absl::string_view(framed).substr(kRecordMargin, bytes.size()),
      &scratch);
  Require(strokes.ok(), "a record decodes but not as bytes");
  std::string again;
  EncodeRecord(Model(), *strokes, &again);
  Require(again.size() == bytes.size(), "a record has two lengths");
}

void FuzzBlock(const std::string& bytes) {
  if (bytes.size() < kBlockHeader) return;
  const uint32_t count = LoadLittle<uint16_t>(bytes.data() + 2);
  const uint32_t first = LoadLittle<uint32_t>(bytes.data() + 4);
  for (uint32_t slot = 0; slot < count && slot < 64; ++slot) {
    const auto record = RecordOfBlock(bytes, first, count, slot);
    if (!record.ok()) continue;
    const absl::string_view found = record->bytes;
    Require(found.data() >= bytes.data() + kBlockHeader &&
                found.data() + found.size() <= bytes.data() + bytes.size(),
            "a record lies outside of its block");
  }
}

// What decodes obeys the rules and is the same after another round.
void FuzzRawRecord(const std::string& bytes) {
  Drawing drawing;
  if (!DecodeRawRecord(bytes, &drawing).ok()) return;
  FillCanvas(&drawing);
  Require(ValidateDrawing(drawing).ok(), "a raw record breaks the rules");
  std::string again;
  EncodeRawRecord(drawing, &again);
  Drawing found;
  Require(DecodeRawRecord(again, &found).ok(), "a raw record is refused");
  Require(found.raw == drawing.raw && found.stroke_ends == drawing.stroke_ends,
          "a raw record changes when it is written again");
}

void FuzzColumns(std::string bytes) {
  AppendChecksum(&bytes);
  const auto run = ParseColumnRun(bytes);
  if (!run.ok()) return;
  uint64_t sum = 0;
  for (const ColumnView& column : run->columns) {
    for (uint32_t i = 0; i < run->count; ++i) {
      if (column.Has(i)) sum += static_cast<uint64_t>(column.Value(i));
    }
  }
  // The reads are the test; their sum must only not be optimised away.
  Require(sum != 1 || run->count > 0, "a run without drawings");
}

void FuzzTable(std::string bytes) {
  AppendChecksum(&bytes);
  const auto raw = UnwrapTable("words", bytes);
  if (!raw.ok()) return;
  static_cast<void>(UnpackStrings(*raw).ok());
  static_cast<void>(SegmentHeader::Parse(*raw).ok());
  static_cast<void>(StrokeModel::Parse(*raw).ok());
}

void FuzzLmdb(const std::string& bytes) {
  static const testing::ScratchDirectory* const scratch =
      new testing::ScratchDirectory();
  const std::string path = scratch->Write("fuzz.mdb", bytes);
  const auto file = LmdbFile::Open(path, bytes.size());
  if (!file.ok()) return;
  for (const char* database : {"strokes", "columns", "tables"}) {
    uint64_t sum = 0;
    static_cast<void>(
        (*file)
            ->Walk(database,
                   [&](absl::string_view key, absl::string_view value) {
                     for (const char c : key) sum += static_cast<uint8_t>(c);
                     for (const char c : value) sum += static_cast<uint8_t>(c);
                     return absl::OkStatus();
                   })
            .ok());
  }
}

void FuzzManifest(const std::string& bytes) {
  const std::string body = bytes.substr(0, bytes.rfind(",\n  \"checksum\""));
  const auto manifest = ParseManifest(
      absl::StrCat(body, ",\n  \"checksum\": \"",
                   absl::Hex(Checksum(body), absl::kZeroPad16), "\"\n}\n"),
      "fuzz");
  if (!manifest.ok()) return;
  const auto again = ParseManifest(manifest->ToText(), "fuzz");
  Require(again.ok(), "a manifest's own text is refused");
  Require(again->info.drawings == manifest->info.drawings,
          "a manifest changes when it is written again");
}

}  // namespace
}  // namespace inkstream::store

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace inkstream::store;  // NOLINT(google-build-using-namespace)
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      FuzzRecord(bytes);
      break;
    case 1:
      FuzzBlock(bytes);
      break;
    case 2:
      FuzzColumns(bytes);
      break;
    case 3:
      FuzzTable(bytes);
      break;
    case 4:
      FuzzManifest(bytes);
      break;
    case 5:
      FuzzLmdb(bytes);
      break;
    default:
      FuzzRawRecord(bytes);
      break;
  }
  return 0;
}

#include "server/store/store_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/store/generation/manifest.h"
#include "server/store/generation/open_store.h"
#include "server/store/strokes/raw_codec.h"
#include "server/store/strokes/record_codec.h"

namespace inkstream::store {
namespace {

class OpenDrawingReader final : public DrawingReader {
 public:
  explicit OpenDrawingReader(std::shared_ptr<const OpenStore> store)
      : store_(std::move(store)) {}

  absl::StatusOr<StrokesView> ReadStrokes(uint64_t index) override {
    if (absl::Status s = CheckIndex(index); !s.ok()) return s;
    return ReadStrokesAt(index, store_->Find(index));
  }

  void Find(absl::Span<const int64_t> indices) override {
    found_.clear();
    found_.reserve(indices.size());
    for (size_t i = 0; i < std::min(indices.size(), kHeadersAhead); ++i) {
      FetchHeader(indices[i]);
    }
    for (size_t i = 0; i < indices.size(); ++i) {
      if (i + kHeadersAhead < indices.size()) {
        FetchHeader(indices[i + kHeadersAhead]);
      }
      found_.push_back(FindOne(static_cast<uint64_t>(indices[i])));
    }
    for (size_t i = 0; i < std::min(found_.size(), kRecordsAhead); ++i) {
      FetchRecord(found_[i].record);
    }
  }

  absl::StatusOr<StrokesView> ReadFound(size_t i) override {
    if (i + kRecordsAhead < found_.size()) {
      FetchRecord(found_[i + kRecordsAhead].record);
    }
    const Found& found = found_[i];
    if (found.segment == nullptr) return found.record.status();
    return Decode(found.index, *found.segment, found.record);
  }

  absl::StatusOr<std::optional<ByteStrokes>> ReadFoundBytes(size_t i) override {
    const Found& found = found_[i];
    if (!found.record.ok() || found.record->raw) return std::nullopt;
    if (i + kRecordsAhead < found_.size()) {
      FetchRecord(found_[i + kRecordsAhead].record);
    }
    const absl::StatusOr<ByteStrokes> strokes =
        DecodeBytes(found.segment->model(), found.record->bytes, &scratch_);
    if (absl::Status s = found.segment->CheckIntact(); !s.ok()) return s;
    if (!strokes.ok()) {
      return Damaged(found.index, *found.segment, strokes.status());
    }
    return *strokes;
  }

  absl::Status ReadDrawing(uint64_t index, Drawing* drawing) override {
    if (absl::Status s = CheckIndex(index); !s.ok()) return s;
    const OpenStore::Place at = store_->Find(index);
    const absl::StatusOr<StrokesView> strokes = ReadStrokesAt(index, at);
    if (!strokes.ok()) return strokes.status();
    drawing->Clear();
    drawing->stroke_ends.assign(strokes->stroke_ends.begin(),
                                strokes->stroke_ends.end());
    drawing->x.assign(strokes->x.begin(), strokes->x.end());
    drawing->y.assign(strokes->y.begin(), strokes->y.end());
    if (is_raw_) {
      drawing->t = raw_scratch_.t;
      drawing->raw = raw_scratch_.raw;
    }
    const auto value = [&](ColumnKind kind) -> std::optional<int64_t> {
      const ColumnView& column = at.column(kind);
      if (!column.Has(at.row)) return std::nullopt;
      return column.Value(at.row);
    };
    const SegmentReader& segment = *at.segment->reader;
    // Numbers that lead out of their table are of a column that was damaged
    // since it was checked.
    const auto name = [](const std::vector<std::string>& names,
                         std::optional<int64_t> rank, auto* to) {
      if (!rank.has_value()) return true;
      if (static_cast<uint64_t>(*rank) >= names.size()) return false;
      *to = names[static_cast<size_t>(*rank)];
      return true;
    };
    if (!name(segment.words(), value(ColumnKind::kWord), &drawing->word) ||
        !name(segment.countrycodes(), value(ColumnKind::kCountrycode),
              &drawing->countrycode) ||
        !name(segment.splits(), value(ColumnKind::kSplit), &drawing->split)) {
      return Damaged(index, segment,
                     absl::DataLossError("a name that is not in its table"));
    }
    if (const auto micros = value(ColumnKind::kTimestamp)) {
      const auto zeros = value(ColumnKind::kTrailingZeros);
      drawing->timestamp =
          Timestamp{*micros, static_cast<uint8_t>(zeros.value_or(0))};
    }
    if (const auto recognized = value(ColumnKind::kRecognized)) {
      drawing->recognized = *recognized != 0;
    }
    drawing->key_id = value(ColumnKind::kKeyId);
    return segment.CheckIntact();
  }

 private:
  // A record that was looked for. Without a segment: the index is none, and
  // the record's status says so.
  struct Found {
    uint64_t index = 0;
    const SegmentReader* segment = nullptr;
    absl::StatusOr<StoredRecord> record = absl::UnknownError("");
  };

  // Reads ahead by which memory answers in time: a block's header, which says
  // where the record lies, and then the record.
  static constexpr size_t kHeadersAhead = 8;
  static constexpr size_t kRecordsAhead = 4;

  void FetchHeader(int64_t index) const {
    if (static_cast<uint64_t>(index) >= store_->size()) return;
    const OpenStore::Place at = store_->Find(static_cast<uint64_t>(index));
    at.segment->reader->FetchHeader(at.local);
  }
  static void FetchRecord(const absl::StatusOr<StoredRecord>& record) {
    if (record.ok()) SegmentReader::FetchRecord(*record);
  }
  Found FindOne(uint64_t index) const {
    if (absl::Status s = CheckIndex(index); !s.ok()) return {index, nullptr, s};
    const OpenStore::Place at = store_->Find(index);
    const SegmentReader& segment = *at.segment->reader;
    return {index, &segment, segment.Record(at.local)};
  }

  absl::Status CheckIndex(uint64_t index) const {
    if (index < store_->size()) return absl::OkStatus();
    return absl::OutOfRangeError(absl::StrCat("index ", index, " is beyond ",
                                              store_->path(), ", which has ",
                                              store_->size(), " drawings"));
  }

  absl::StatusOr<StrokesView> ReadStrokesAt(uint64_t index,
                                            const OpenStore::Place& at) {
    const SegmentReader& segment = *at.segment->reader;
    return Decode(index, segment, segment.Record(at.local));
  }

  absl::StatusOr<StrokesView> Decode(
      uint64_t index, const SegmentReader& segment,
      const absl::StatusOr<StoredRecord>& record) {
    if (!record.ok()) {
      if (absl::Status s = segment.CheckIntact(); !s.ok()) return s;
      return Damaged(index, segment, record.status());
    }
    is_raw_ = record->raw;
    absl::StatusOr<StrokesView> strokes =
        is_raw_ ? ReadRaw(record->bytes)
                : DecodeRecord(segment.model(), record->bytes, &scratch_);
    if (absl::Status s = segment.CheckIntact(); !s.ok()) return s;
    if (!strokes.ok()) return Damaged(index, segment, strokes.status());
    return strokes;
  }

  absl::StatusOr<StrokesView> ReadRaw(absl::string_view record) {
    raw_scratch_.Clear();
    absl::Status status = DecodeRawRecord(record, &raw_scratch_);
    if (!status.ok()) return status;
    FillCanvas(&raw_scratch_);
    return raw_scratch_.strokes();
  }

  absl::Status Damaged(uint64_t index, const SegmentReader& segment,
                       const absl::Status& why) const {
    return absl::DataLossError(absl::StrCat(
        "drawing ", index, " of ", segment.path(), ": ", why.message()));
  }

  std::shared_ptr<const OpenStore> store_;
  RecordScratch scratch_;
  // Of a raw drawing: its strokes as they were and on the canvas.
  Drawing raw_scratch_;
  bool is_raw_ = false;  // the drawing read last
  std::vector<Found> found_;
};

// The MANIFEST of the generation that is asked for.
absl::StatusOr<Manifest> FindManifest(const std::string& path,
                                      const OpenOptions& options,
                                      uint64_t* bytes) {
  absl::StatusOr<Manifest> newest = ReadManifest(path, bytes);
  if (!newest.ok()) return newest;
  const auto asked_for = [&options](const StoreInfo& info) {
    return (options.generation == 0 || options.generation == info.generation) &&
           (options.fingerprint.empty() ||
            options.fingerprint == info.fingerprint);
  };
  if (asked_for(newest->info)) return newest;
  // Damaged ones are told of where none of the others is it.
  absl::Status damaged;
  for (const std::string& name : OlderManifests(path)) {
    absl::StatusOr<Manifest> older = ReadManifest(path, bytes, name);
    if (older.ok() && asked_for(older->info)) return older;
    if (!older.ok() && !absl::IsNotFound(older.status())) {
      damaged.Update(older.status());
    }
  }
  if (!damaged.ok()) return damaged;
  std::string wanted;
  if (options.generation != 0) {
    absl::StrAppend(&wanted, "generation ", options.generation);
  }
  if (!options.fingerprint.empty()) {
    absl::StrAppend(&wanted, wanted.empty() ? "" : " with ", "fingerprint ",
                    options.fingerprint);
  }
  return absl::NotFoundError(absl::StrCat(
      path, ": ", wanted, " is not here; the newest is generation ",
      newest->info.generation, ", fingerprint ", newest->info.fingerprint));
}

}  // namespace

std::unique_ptr<DrawingReader> OpenStore::NewDrawingReader() const {
  return std::make_unique<OpenDrawingReader>(
      std::static_pointer_cast<const OpenStore>(shared_from_this()));
}

void StoreReader::ReadColumn(StoreColumn column, uint64_t first,
                             absl::Span<int64_t> out) const {
  for (size_t i = 0; i < out.size(); ++i) {
    const uint64_t index = first + i;
    switch (column) {
      case StoreColumn::kLabel:
        out[i] = Label(index);
        break;
      case StoreColumn::kKeyId:
        out[i] = KeyId(index);
        break;
      case StoreColumn::kTimestamp:
        out[i] = TimestampMicros(index);
        break;
      case StoreColumn::kRecognized:
        out[i] = Recognized(index);
        break;
      case StoreColumn::kCountrycode:
        out[i] = Countrycode(index);
        break;
      case StoreColumn::kSplitHash:
        out[i] = static_cast<int64_t>(SplitHash(index));
        break;
    }
  }
}

absl::StatusOr<std::shared_ptr<const StoreReader>> StoreReader::Open(
    const std::string& path, const OpenOptions& options) {
  uint64_t manifest_bytes = 0;
  const absl::StatusOr<Manifest> manifest =
      FindManifest(path, options, &manifest_bytes);
  if (!manifest.ok()) return manifest.status();
  const std::vector<std::string> directories(manifest->segments.size(), path);
  return OpenStore::Create(path, *manifest, directories, manifest_bytes,
                           options);
}

}  // namespace inkstream::store

#include "server/store/store_reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/class_names.h"
#include "server/store/format.h"
#include "server/store/manifest.h"
#include "server/store/raw_canvas.h"
#include "server/store/raw_codec.h"
#include "server/store/record_codec.h"
#include "server/store/segment_reader.h"
#include "server/store/split_hash.h"

namespace inkstream::store {
namespace {

// Rank of `name` in a sorted list, -1 if it is not there.
int32_t RankOf(const std::vector<std::string>& sorted,
               const std::string& name) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), name);
  if (at == sorted.end() || *at != name) return -1;
  return static_cast<int32_t>(at - sorted.begin());
}

class OpenStore final : public StoreReader {
 public:
  OpenStore(std::string path, Manifest manifest)
      : path_(std::move(path)), info_(std::move(manifest.info)) {}

  absl::Status AddSegment(const SegmentEntry& entry) {
    absl::StatusOr<std::unique_ptr<SegmentReader>> segment =
        SegmentReader::Open(path_, entry, &models_);
    if (!segment.ok()) return segment.status();
    info_.bytes_on_disk += entry.bytes;
    OneSegment& added = segments_.emplace_back();
    for (const std::string& word : (*segment)->words()) {
      added.labels.push_back(RankOf(info_.classes, ClassOfWord(word)));
      if (added.labels.back() < 0) {
        return absl::DataLossError(
            absl::StrCat((*segment)->path(), ": word '", word,
                         "' is not a class of the MANIFEST"));
      }
    }
    for (const std::string& name : (*segment)->splits()) {
      size_t s = 0;
      while (s < info_.splits.size() && info_.splits[s].name != name) ++s;
      if (s == info_.splits.size() || !info_.listed_splits) {
        return absl::DataLossError(
            absl::StrCat((*segment)->path(), ": split '", name,
                         "' is not a listed one of the MANIFEST"));
      }
      added.splits.push_back(static_cast<int32_t>(s));
    }
    added.reader = *std::move(segment);
    return absl::OkStatus();
  }

  void Finish(uint64_t manifest_bytes, const OpenOptions& options) {
    info_.bytes_on_disk += manifest_bytes;
    std::set<std::string> codes;
    for (const OneSegment& segment : segments_) {
      codes.insert(segment.reader->countrycodes().begin(),
                   segment.reader->countrycodes().end());
    }
    countrycodes_.assign(codes.begin(), codes.end());
    for (OneSegment& segment : segments_) {
      for (const std::string& code : segment.reader->countrycodes()) {
        segment.countrycodes.push_back(RankOf(countrycodes_, code));
      }
      firsts_.push_back(segment.reader->first());
      if (options.preload) {
        segment.reader->Preload();
      } else {
        segment.reader->AdviseRandom();
      }
    }
  }

  const StoreInfo& info() const override { return info_; }
  const std::string& path() const override { return path_; }
  const std::vector<std::string>& countrycodes() const override {
    return countrycodes_;
  }
  std::unique_ptr<DrawingReader> NewDrawingReader() const override;

  int32_t Label(uint64_t index) const override {
    const Place at = Find(index);
    const ColumnView& column = at.column(ColumnKind::kWord);
    if (!column.Has(at.row)) return -1;
    return at.segment->labels[column.Value(at.row)];
  }
  int64_t KeyId(uint64_t index) const override {
    return ValueOr(index, ColumnKind::kKeyId, -1);
  }
  int64_t TimestampMicros(uint64_t index) const override {
    return ValueOr(index, ColumnKind::kTimestamp, INT64_MIN);
  }
  int32_t Recognized(uint64_t index) const override {
    return static_cast<int32_t>(ValueOr(index, ColumnKind::kRecognized, -1));
  }
  int32_t Countrycode(uint64_t index) const override {
    const Place at = Find(index);
    const ColumnView& column = at.column(ColumnKind::kCountrycode);
    if (!column.Has(at.row)) return -1;
    return at.segment->countrycodes[column.Value(at.row)];
  }
  int32_t ListedSplit(uint64_t index) const override {
    const Place at = Find(index);
    const ColumnView& column = at.column(ColumnKind::kSplit);
    if (!column.Has(at.row)) return -1;
    return at.segment->splits[column.Value(at.row)];
  }
  uint64_t SplitHash(uint64_t index) const override {
    const Place at = Find(index);
    const ColumnView& key = at.column(ColumnKind::kKeyId);
    if (key.Has(at.row)) return SplitHashOfKey(key.Value(at.row));
    const ColumnView& hash = at.column(ColumnKind::kStrokesHash);
    return hash.Has(at.row) ? static_cast<uint64_t>(hash.Value(at.row)) : 0;
  }

  void ReadColumn(StoreColumn column, uint64_t first,
                  absl::Span<int64_t> out) const override {
    for (size_t i = 0; i < out.size();) {
      const Place at = Find(first + i);
      const size_t here =
          std::min<size_t>(out.size() - i, at.run->count - at.row);
      ReadRun(column, at, out.subspan(i, here));
      i += here;
    }
  }
  absl::StatusOr<uint64_t> FindKey(int64_t key_id) const override;
  void WillNeed(absl::Span<const uint64_t> indices) const override {
    for (const uint64_t index : indices) {
      const Place at = Find(index);
      at.segment->reader->WillNeed(at.local);
    }
  }

  struct OneSegment {
    std::unique_ptr<SegmentReader> reader;
    std::vector<int32_t> labels;        // by word of the segment
    std::vector<int32_t> countrycodes;  // by countrycode of the segment
    std::vector<int32_t> splits;        // by split of the segment
  };
  struct Place {
    const OneSegment* segment;
    uint32_t local;
    uint32_t row;  // in its run of columns
    const ColumnRun* run;
    const ColumnView& column(ColumnKind kind) const {
      return run->column(kind);
    }
  };
  // REQUIRES: index < size().
  Place Find(uint64_t index) const {
    size_t s = 0;
    if (firsts_.size() > 1) {
      s = std::upper_bound(firsts_.begin(), firsts_.end(), index) -
          firsts_.begin() - 1;
    }
    const uint32_t local = static_cast<uint32_t>(index - firsts_[s]);
    return {&segments_[s], local, SegmentReader::InRun(local),
            &segments_[s].reader->Columns(local)};
  }

 private:
  int64_t ValueOr(uint64_t index, ColumnKind kind, int64_t missing) const {
    const Place at = Find(index);
    const ColumnView& column = at.column(kind);
    return column.Has(at.row) ? column.Value(at.row) : missing;
  }

  // Columns of drawings at.row.. of one run.
  static void ReadRun(StoreColumn column, const Place& at,
                      absl::Span<int64_t> out);

  std::string path_;
  StoreInfo info_;
  ModelCache models_;
  std::vector<OneSegment> segments_;
  std::vector<uint64_t> firsts_;
  std::vector<std::string> countrycodes_;
};

void OpenStore::ReadRun(StoreColumn column, const Place& at,
                        absl::Span<int64_t> out) {
  const auto read = [&](ColumnKind kind, int64_t missing, const auto& value) {
    const ColumnView& view = at.column(kind);
    for (size_t i = 0; i < out.size(); ++i) {
      const uint32_t row = at.row + static_cast<uint32_t>(i);
      out[i] = view.Has(row) ? value(view.Value(row)) : missing;
    }
  };
  const auto plain = [](int64_t value) { return value; };
  switch (column) {
    case StoreColumn::kLabel:
      return read(ColumnKind::kWord, -1, [&](int64_t word) {
        return int64_t{at.segment->labels[word]};
      });
    case StoreColumn::kKeyId:
      return read(ColumnKind::kKeyId, -1, plain);
    case StoreColumn::kTimestamp:
      return read(ColumnKind::kTimestamp, INT64_MIN, plain);
    case StoreColumn::kRecognized:
      return read(ColumnKind::kRecognized, -1, plain);
    case StoreColumn::kCountrycode:
      return read(ColumnKind::kCountrycode, -1, [&](int64_t code) {
        return int64_t{at.segment->countrycodes[code]};
      });
    case StoreColumn::kSplitHash: {
      const ColumnView& key = at.column(ColumnKind::kKeyId);
      const ColumnView& hash = at.column(ColumnKind::kStrokesHash);
      for (size_t i = 0; i < out.size(); ++i) {
        const uint32_t row = at.row + static_cast<uint32_t>(i);
        out[i] = key.Has(row)
                     ? static_cast<int64_t>(SplitHashOfKey(key.Value(row)))
                 : hash.Has(row) ? hash.Value(row)
                                 : 0;
      }
      return;
    }
  }
}

absl::StatusOr<uint64_t> OpenStore::FindKey(int64_t key_id) const {
  for (const OneSegment& segment : segments_) {
    uint64_t run_first = segment.reader->first();
    for (const ColumnRun& run : segment.reader->runs()) {
      const ColumnView& column = run.column(ColumnKind::kKeyId);
      const uint64_t above = static_cast<uint64_t>(key_id) - column.base;
      const uint64_t packed = column.unit == 0 ? 0 : above / column.unit;
      // Outside of what the run can hold, or off its grid.
      const bool possible = column.any && packed * column.unit == above &&
                            (column.width == 64 || packed >> column.width == 0);
      for (uint32_t i = 0; possible && i < run.count; ++i) {
        if (column.Packed(i) == packed && column.Has(i)) return run_first + i;
      }
      run_first += run.count;
    }
  }
  return absl::NotFoundError(
      absl::StrCat("key_id ", key_id, " is not in ", path_));
}

class OpenDrawingReader final : public DrawingReader {
 public:
  explicit OpenDrawingReader(std::shared_ptr<const OpenStore> store)
      : store_(std::move(store)) {}

  absl::StatusOr<StrokesView> ReadStrokes(uint64_t index) override {
    if (absl::Status s = CheckIndex(index); !s.ok()) return s;
    return ReadStrokesAt(index, store_->Find(index));
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
    if (const auto word = value(ColumnKind::kWord)) {
      drawing->word = segment.words()[*word];
    }
    if (const auto code = value(ColumnKind::kCountrycode)) {
      drawing->countrycode = segment.countrycodes()[*code];
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
    if (const auto split = value(ColumnKind::kSplit)) {
      drawing->split = segment.splits()[*split];
    }
    return absl::OkStatus();
  }

 private:
  absl::Status CheckIndex(uint64_t index) const {
    if (index < store_->size()) return absl::OkStatus();
    return absl::OutOfRangeError(absl::StrCat("index ", index, " is beyond ",
                                              store_->path(), ", which has ",
                                              store_->size(), " drawings"));
  }

  absl::StatusOr<StrokesView> ReadStrokesAt(uint64_t index,
                                            const OpenStore::Place& at) {
    const SegmentReader& segment = *at.segment->reader;
    const absl::StatusOr<StoredRecord> record = segment.Record(at.local);
    if (!record.ok()) return Damaged(index, segment, record.status());
    is_raw_ = record->raw;
    if (is_raw_) return ReadRawAt(index, segment, record->bytes);
    absl::StatusOr<StrokesView> strokes =
        DecodeRecord(segment.model(), record->bytes, &scratch_);
    if (!strokes.ok()) return Damaged(index, segment, strokes.status());
    return strokes;
  }

  absl::StatusOr<StrokesView> ReadRawAt(uint64_t index,
                                        const SegmentReader& segment,
                                        absl::string_view record) {
    raw_scratch_.Clear();
    absl::Status status = DecodeRawRecord(record, &raw_scratch_);
    if (!status.ok()) return Damaged(index, segment, status);
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
};

std::unique_ptr<DrawingReader> OpenStore::NewDrawingReader() const {
  return std::make_unique<OpenDrawingReader>(
      std::static_pointer_cast<const OpenStore>(shared_from_this()));
}

}  // namespace

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
  absl::StatusOr<Manifest> manifest = ReadManifest(path, &manifest_bytes);
  if (!manifest.ok()) return manifest.status();
  const std::vector<SegmentEntry> entries = manifest->segments;
  auto store = std::make_shared<OpenStore>(path, *std::move(manifest));
  for (const SegmentEntry& entry : entries) {
    if (absl::Status s = store->AddSegment(entry); !s.ok()) return s;
  }
  store->Finish(manifest_bytes, options);
  return std::shared_ptr<const StoreReader>(std::move(store));
}

}  // namespace inkstream::store

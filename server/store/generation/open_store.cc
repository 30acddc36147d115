#include "server/store/generation/open_store.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/class_names.h"
#include "server/store/format.h"

namespace inkstream::store {
namespace {

// Rank of `name` in a sorted list, -1 if it is not there.
int32_t RankOf(const std::vector<std::string>& sorted,
               const std::string& name) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), name);
  if (at == sorted.end() || *at != name) return -1;
  return static_cast<int32_t>(at - sorted.begin());
}

}  // namespace

absl::Status OpenStore::AddSegment(const std::string& directory,
                                   const SegmentEntry& entry) {
  absl::StatusOr<std::unique_ptr<SegmentReader>> segment =
      SegmentReader::Open(directory, entry, &models_);
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

absl::Status OpenStore::Finish(uint64_t manifest_bytes,
                               const OpenOptions& options) {
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
    if (options.check_columns) {
      if (absl::Status s = segment.reader->CheckColumns(); !s.ok()) return s;
    }
    if (options.preload) {
      segment.reader->Preload();
    } else {
      segment.reader->AdviseRandom();
    }
  }
  return absl::OkStatus();
}

void OpenStore::ReadColumn(StoreColumn column, uint64_t first,
                           absl::Span<int64_t> out) const {
  // Indices that follow each other do not stand side by side then.
  if (!dropped_.empty()) return StoreReader::ReadColumn(column, first, out);
  for (size_t i = 0; i < out.size();) {
    const Place at = Find(first + i);
    const size_t here =
        std::min<size_t>(out.size() - i, at.run().count - at.row);
    ReadRun(column, at, out.subspan(i, here));
    i += here;
  }
}

void OpenStore::ReadRun(StoreColumn column, const Place& at,
                        absl::Span<int64_t> out) {
  const auto read = [&](ColumnKind kind, int64_t missing) {
    at.column(kind).Read(at.row, missing, out);
  };
  // Numbers of the segment's own into those of the store.
  const auto translate = [&](const std::vector<int32_t>& table) {
    for (int64_t& value : out) value = Translated(table, value);
  };
  switch (column) {
    case StoreColumn::kLabel:
      read(ColumnKind::kWord, -1);
      return translate(at.segment->labels);
    case StoreColumn::kKeyId:
      return read(ColumnKind::kKeyId, -1);
    case StoreColumn::kTimestamp:
      return read(ColumnKind::kTimestamp, INT64_MIN);
    case StoreColumn::kRecognized:
      return read(ColumnKind::kRecognized, -1);
    case StoreColumn::kCountrycode:
      read(ColumnKind::kCountrycode, -1);
      return translate(at.segment->countrycodes);
    case StoreColumn::kSplitHash: {
      const ColumnView& key = at.column(ColumnKind::kKeyId);
      const ColumnView& hash = at.column(ColumnKind::kStrokesHash);
      if (key.any && key.presence == nullptr) {
        key.Read(at.row, -1, out);
        return SplitHashesOfKeys(out);
      }
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
    for (uint32_t r = 0; r < segment.reader->runs(); ++r) {
      const ColumnRun& run = segment.reader->Run(r);
      const ColumnView& column = run.column(ColumnKind::kKeyId);
      const uint64_t above = static_cast<uint64_t>(key_id) - column.base;
      const uint64_t packed = column.unit == 0 ? 0 : above / column.unit;
      // Outside of what the run can hold, or off its grid.
      const bool possible = column.any && packed * column.unit == above &&
                            (column.width == 64 || packed >> column.width == 0);
      for (uint32_t i = 0; possible && i < run.count; ++i) {
        if (column.Packed(i) != packed || !column.Has(i)) continue;
        if (dropped_.Contains(run_first + i)) continue;
        return dropped_.IndexOf(run_first + i);
      }
      run_first += run.count;
    }
  }
  if (absl::Status s = CheckIntact(); !s.ok()) return s;
  return absl::NotFoundError(
      absl::StrCat("key_id ", key_id, " is not in ", path_));
}

absl::Status OpenStore::CheckIntact() const {
  if (!MappedFile::AnyLost()) return absl::OkStatus();
  for (const OneSegment& segment : segments_) {
    if (absl::Status s = segment.reader->CheckIntact(); !s.ok()) return s;
  }
  return absl::OkStatus();
}

void OpenStore::Look() const {
  for (const OneSegment& segment : segments_) segment.reader->Look();
}

uint64_t OpenStore::parts() const {
  uint64_t parts = 0;
  for (const OneSegment& segment : segments_) parts += segment.reader->parts();
  return parts;
}

absl::StatusOr<uint64_t> OpenStore::Scrub(uint64_t part) const {
  size_t s = 0;
  while (part >= segments_[s].reader->parts()) {
    part -= segments_[s++].reader->parts();
  }
  return segments_[s].reader->Scrub(static_cast<uint32_t>(part));
}

absl::StatusOr<std::shared_ptr<const OpenStore>> OpenStore::Create(
    const std::string& path, const Manifest& manifest,
    const std::vector<std::string>& directories, uint64_t manifest_bytes,
    const OpenOptions& options) {
  auto store = std::make_shared<OpenStore>(path, manifest);
  for (size_t s = 0; s < manifest.segments.size(); ++s) {
    absl::Status added =
        store->AddSegment(directories[s], manifest.segments[s]);
    if (!added.ok()) return added;
  }
  absl::Status finished = store->Finish(manifest_bytes, options);
  if (!finished.ok()) return finished;
  return std::shared_ptr<const OpenStore>(std::move(store));
}

double OpenStore::ResidentShare() const {
  constexpr size_t kSampledPages = 256;  // of a segment
  size_t looked_at = 0;
  size_t resident = 0;
  for (const OneSegment& segment : segments_) {
    const auto [pages, here] = segment.reader->CountResident(kSampledPages);
    looked_at += pages;
    resident += here;
  }
  return looked_at == 0 ? 1 : static_cast<double>(resident) / looked_at;
}

}  // namespace inkstream::store

// An opened store: what StoreReader::Open gives, and what writing and merging
// need of one besides.
//
// Thread safety: const methods are safe from any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/store/generation/dropped_runs.h"
#include "server/store/generation/manifest.h"
#include "server/store/segment/segment_reader.h"
#include "server/store/store_reader.h"
#include "server/store/writing/split_hash.h"

namespace inkstream::store {

class OpenStore final : public StoreReader {
 public:
  OpenStore(std::string path, Manifest manifest)
      : path_(std::move(path)),
        info_(std::move(manifest.info)),
        dropped_(std::move(manifest.dropped)) {}

  // The store of a MANIFEST; directories[s] holds segments[s].
  static absl::StatusOr<std::shared_ptr<const OpenStore>> Create(
      const std::string& path, const Manifest& manifest,
      const std::vector<std::string>& directories, uint64_t manifest_bytes,
      const OpenOptions& options);

  // `directory`: where the segment's file is.
  absl::Status AddSegment(const std::string& directory,
                          const SegmentEntry& entry);
  absl::Status Finish(uint64_t manifest_bytes, const OpenOptions& options);

  const SegmentReader& segment(size_t s) const { return *segments_[s].reader; }
  size_t segments() const { return segments_.size(); }
  // As SegmentReader's, of all segments: for those who read everything once.
  void LetGo() const {
    for (const OneSegment& segment : segments_) segment.reader->LetGo();
  }
  const DroppedRuns& dropped() const { return dropped_; }

  const StoreInfo& info() const override { return info_; }
  const std::string& path() const override { return path_; }
  double ResidentShare() const override;
  const std::vector<std::string>& countrycodes() const override {
    return countrycodes_;
  }
  std::unique_ptr<DrawingReader> NewDrawingReader() const override;

  int32_t Label(uint64_t index) const override {
    return NumberOf(index, ColumnKind::kWord, &OneSegment::labels);
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
    return NumberOf(index, ColumnKind::kCountrycode, &OneSegment::countrycodes);
  }
  int32_t ListedSplit(uint64_t index) const override {
    return NumberOf(index, ColumnKind::kSplit, &OneSegment::splits);
  }
  uint64_t SplitHash(uint64_t index) const override {
    const Place at = Find(index);
    const ColumnView& key = at.column(ColumnKind::kKeyId);
    if (key.Has(at.row)) return SplitHashOfKey(key.Value(at.row));
    const ColumnView& hash = at.column(ColumnKind::kStrokesHash);
    return hash.Has(at.row) ? static_cast<uint64_t>(hash.Value(at.row)) : 0;
  }

  void ReadColumn(StoreColumn column, uint64_t first,
                  absl::Span<int64_t> out) const override;
  absl::StatusOr<uint64_t> FindKey(int64_t key_id) const override;
  // As store_health.h says.
  absl::Status CheckIntact() const;
  void Look() const;
  uint64_t parts() const;
  absl::StatusOr<uint64_t> Scrub(uint64_t part) const;
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
    const ColumnRun& run() const { return segment->reader->Columns(local); }
    const ColumnView& column(ColumnKind kind) const {
      return run().column(kind);
    }
  };
  // REQUIRES: index < size().
  Place Find(uint64_t index) const { return AtPlace(dropped_.PlaceOf(index)); }
  // Of all that the segments hold, dropped or not.
  Place AtPlace(uint64_t place) const {
    size_t s = 0;
    if (firsts_.size() > 1) {
      s = std::upper_bound(firsts_.begin(), firsts_.end(), place) -
          firsts_.begin() - 1;
    }
    const uint32_t local = static_cast<uint32_t>(place - firsts_[s]);
    return {&segments_[s], local, SegmentReader::InRun(local)};
  }

 private:
  int64_t ValueOr(uint64_t index, ColumnKind kind, int64_t missing) const {
    const Place at = Find(index);
    const ColumnView& column = at.column(kind);
    return column.Has(at.row) ? column.Value(at.row) : missing;
  }

  // The store's number of what the segment has a rank of; -1: none.
  int32_t NumberOf(uint64_t index, ColumnKind kind,
                   std::vector<int32_t> OneSegment::*table) const {
    const Place at = Find(index);
    const ColumnView& column = at.column(kind);
    if (!column.Has(at.row)) return -1;
    return Translated(at.segment->*table, column.Value(at.row));
  }

  // -1: beyond the table. A column that is lost since it was checked may hold
  // any number.
  static int32_t Translated(const std::vector<int32_t>& table, int64_t rank) {
    return static_cast<uint64_t>(rank) < table.size()
               ? table[static_cast<size_t>(rank)]
               : -1;
  }

  // Columns of drawings at.row.. of one run.
  static void ReadRun(StoreColumn column, const Place& at,
                      absl::Span<int64_t> out);

  std::string path_;
  StoreInfo info_;
  DroppedRuns dropped_;
  ModelCache models_;
  std::vector<OneSegment> segments_;
  std::vector<uint64_t> firsts_;
  std::vector<std::string> countrycodes_;
};

}  // namespace inkstream::store

// One segment, opened: its map, its block table, its parsed columns and tables.
//
// Ownership: owns the map; views borrow it. Thread safety: const methods from
// any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/block_layout.h"
#include "server/store/block_table.h"
#include "server/store/column_codec.h"
#include "server/store/lmdb_file.h"
#include "server/store/manifest.h"
#include "server/store/segment_header.h"
#include "server/store/stroke_model.h"

namespace inkstream::store {

// Models by their stored form: segments of one store mostly share one, and so
// its tables in the processor's caches.
using ModelCache = std::map<std::string, std::shared_ptr<const StrokeModel>>;

class SegmentReader {
 public:
  // Reads tree, tables and columns and checks all of them; strokes are checked
  // when they are read. Errors as StoreReader::Open.
  static absl::StatusOr<std::unique_ptr<SegmentReader>> Open(
      const std::string& directory, const SegmentEntry& entry,
      ModelCache* models);

  const SegmentHeader& header() const { return header_; }
  const std::string& path() const { return file_->path(); }
  uint64_t first() const { return first_; }
  uint64_t drawings() const { return header_.drawings; }
  const std::vector<std::string>& words() const { return words_; }
  const std::vector<std::string>& countrycodes() const { return countrycodes_; }
  const std::vector<std::string>& splits() const { return splits_; }
  // SHA-256 of the fold runs wholly inside, for the header's fold_phase.
  const std::vector<Digest>& folds() const { return folds_; }
  const StrokeModel& model() const { return *model_; }
  std::shared_ptr<const StrokeModel> shared_model() const { return model_; }

  // `local`: index in the segment. REQUIRES: local < drawings().
  const ColumnRun& Columns(uint32_t local) const {
    return runs_[local >> kColumnRunBits];
  }
  static uint32_t InRun(uint32_t local) { return local & (kColumnRun - 1); }
  const std::vector<ColumnRun>& runs() const { return runs_; }

  // The record of a drawing. Its block's checksum is checked the first time
  // that a record of it is asked for: each time would cost a quarter of the
  // read. DATA_LOSS without the file's name if the block is damaged.
  absl::StatusOr<StoredRecord> Record(uint32_t local) const;

  // Hints for the processor: what Record(local) reads first, and what the
  // decoder of a record reads.
  void FetchHeader(uint32_t local) const;
  static void FetchRecord(const StoredRecord& record);

  // Hints for the kernel.
  void WillNeed(uint32_t local) const;
  void AdviseRandom() const;
  // What was read counts as this process's memory no longer; the kernel keeps
  // the pages for as long as it likes, and reading them again is cheap.
  void LetGo() const;
  // Reads every page.
  void Preload() const;
  // Of at most `sample` pages, how many were looked at and lie in memory.
  std::pair<size_t, size_t> CountResident(size_t sample) const;

 private:
  SegmentReader(std::unique_ptr<LmdbFile> file, uint64_t first)
      : file_(std::move(file)), first_(first), blocks_(file_->bytes().data()) {}
  absl::Status ReadTables(ModelCache* models);
  absl::Status ReadColumns();
  absl::Status ReadBlocks();
  absl::Status CheckRanks() const;
  // Relaxed: a bit says nothing about other memory; at worst two threads check
  // the same block.
  bool Touched(uint32_t block) const {
    return (checked_[block / 64].load(std::memory_order_relaxed) >>
            (block % 64)) &
           1;
  }

  std::unique_ptr<LmdbFile> file_;
  uint64_t first_;
  SegmentHeader header_;
  std::vector<std::string> words_;
  std::vector<std::string> countrycodes_;
  std::vector<std::string> splits_;
  std::vector<Digest> folds_;
  std::shared_ptr<const StrokeModel> model_;
  BlockTable blocks_;
  // One bit a block: its checksum held.
  std::unique_ptr<std::atomic<uint64_t>[]> checked_;
  std::vector<ColumnRun> runs_;
};

}  // namespace inkstream::store

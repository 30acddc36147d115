// One segment, opened: its map, its block table, its tables and columns.
//
// Its *parts*, blocks of strokes and then runs of columns, have a checksum
// each, which is looked at when a part is touched first.
//
// Ownership: owns the map; views borrow it. Thread safety: const methods from
// any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/generation/manifest.h"
#include "server/store/segment/block_layout.h"
#include "server/store/segment/block_table.h"
#include "server/store/segment/column_codec.h"
#include "server/store/segment/lmdb_file.h"
#include "server/store/segment/segment_header.h"
#include "server/store/strokes/stroke_model.h"

namespace inkstream::store {

// Models by their stored form: segments of one store mostly share one, and so
// its tables in the processor's caches.
using ModelCache = std::map<std::string, std::shared_ptr<const StrokeModel>>;

class SegmentReader {
 public:
  // Reads tree and tables and checks them. Errors as StoreReader::Open.
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

  // The columns of a drawing. `local`: index in the segment. Where the run is
  // found damaged, the file is lost (CheckIntact) and the run has no columns:
  // views and orders are made of them, so nothing of the store would be right.
  // REQUIRES: local < drawings().
  const ColumnRun& Columns(uint32_t local) const {
    return Run(local >> kColumnRunBits);
  }
  static uint32_t InRun(uint32_t local) { return local & (kColumnRun - 1); }
  // REQUIRES: run < runs().
  const ColumnRun& Run(uint32_t run) const {
    if (!Checked(blocks_.blocks() + run)) CheckRun(run);
    return runs_[run];
  }
  uint32_t runs() const { return static_cast<uint32_t>(runs_.size()); }
  // All of them, now. DATA_LOSS as CheckIntact().
  absl::Status CheckColumns() const;

  // The record of a drawing. DATA_LOSS, without the file's name, if its block
  // is damaged.
  absl::StatusOr<StoredRecord> Record(uint32_t local) const;

  // Hints for the processor: what Record(local) reads first, and what the
  // decoder of a record reads.
  void FetchHeader(uint32_t local) const;
  static void FetchRecord(const StoredRecord& record);

  // As MappedFile's. What was read behind a loss may be zeros.
  absl::Status CheckIntact() const { return file_->file().CheckIntact(); }
  void Look() const { file_->file().Look(); }

  uint32_t parts() const { return blocks_.blocks() + runs(); }
  // Reads one again from the file. Answers its bytes. DATA_LOSS: its checksum
  // does not match; then reading a drawing of the block fails as well, and a
  // run of columns makes the file be lost.
  absl::StatusOr<uint64_t> Scrub(uint32_t part) const;

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
  absl::Status FindRuns();
  absl::Status ReadBlocks();
  void CheckRun(uint32_t run) const;
  absl::StatusOr<ColumnRun> ReadRun(uint32_t run) const;
  absl::Status CheckRanks(const ColumnRun& run) const;
  // At worst two threads check the same part.
  bool Checked(uint32_t part) const {
    return (checked_[part / 64].load(std::memory_order_acquire) >>
            (part % 64)) &
           1;
  }
  void SetChecked(uint32_t part) const {
    checked_[part / 64].fetch_or(uint64_t{1} << (part % 64),
                                 std::memory_order_release);
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
  // One bit a part: its checksum held, or it is a run that is lost.
  std::unique_ptr<std::atomic<uint64_t>[]> checked_;
  std::vector<absl::string_view> run_bytes_;  // of each run, in the map
  mutable std::mutex runs_mu_;
  // Written once each, by runs_mu_; read once its bit is set.
  mutable std::vector<ColumnRun> runs_;
};

}  // namespace inkstream::store

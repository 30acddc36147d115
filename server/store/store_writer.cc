// Append cuts the drawings into units and segments and trains each segment's
// model on its first drawings; UnitPipeline encodes; Commit, on its committer
// thread, packs units into segments in index order. Where the cuts fall depends
// on the drawings alone, never on how they were appended or on threads.

#include "server/store/store_writer.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/store/content_counts.h"
#include "server/store/fingerprint.h"
#include "server/store/format.h"
#include "server/store/manifest.h"
#include "server/store/partial_store.h"
#include "server/store/segment_writer.h"
#include "server/store/split_hash.h"
#include "server/store/unit_pipeline.h"

namespace inkstream::store {
namespace {

// A new model must make the sample smaller by one part in this many.
constexpr uint64_t kModelGain = 50;

class NewStoreWriter final : public StoreWriter {
 public:
  NewStoreWriter(std::unique_ptr<PartialStore> partial,
                 const WriterOptions& options, std::vector<SplitInfo> splits)
      : partial_(std::move(partial)),
        name_(options.name),
        segment_drawings_(
            options.segment_drawings == 0
                ? kSegmentDrawings
                : std::min(options.segment_drawings, kSegmentDrawings)),
        counts_(std::move(splits), options.listed_by) {
    int threads = options.threads;
    if (threads <= 0) {
      threads =
          std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    }
    pipeline_ = std::make_unique<UnitPipeline>(
        threads, [this](const Unit& unit, const EncodedUnit& encoded) {
          return Commit(unit, encoded);
        });
  }

  absl::Status Append(std::vector<Drawing> drawings) override;
  absl::StatusOr<std::string> Finish() override;
  absl::Status Discard() override;
  uint64_t drawings() const override { return appended_; }

 private:
  absl::Status CloseUnit();
  absl::Status TrainAndRelease();
  absl::Status CloseSegment();
  absl::Status Commit(const Unit& unit, const EncodedUnit& encoded);
  absl::Status FinishSegment();

  std::unique_ptr<PartialStore> partial_;
  const std::string name_;
  const uint64_t segment_drawings_;
  bool finished_ = false;

  // Used by the caller's thread.
  uint64_t appended_ = 0;
  uint64_t in_segment_ = 0;  // drawings
  uint64_t segment_points_ = 0;
  std::vector<Drawing> open_unit_;
  uint64_t open_points_ = 0;
  std::vector<Unit> untrained_;  // held until the segment has its model
  uint64_t untrained_drawings_ = 0;
  uint64_t untrained_points_ = 0;
  bool opens_segment_ = true;
  StrokeModelTrainer trainer_;
  std::shared_ptr<const StrokeModel> model_;
  std::shared_ptr<const StrokeModel> last_model_;

  // Used by the committer's thread, and by Finish after Drain.
  ContentCounts counts_;
  FingerprintFold fold_;
  std::unique_ptr<SegmentWriter> segment_;
  uint64_t segment_first_ = 0;
  uint64_t committed_ = 0;
  std::vector<SegmentEntry> segments_;

  // Last: its threads end before what they use.
  std::unique_ptr<UnitPipeline> pipeline_;
};

absl::Status NewStoreWriter::Append(std::vector<Drawing> drawings) {
  if (finished_) return absl::FailedPreconditionError("the writer is finished");
  for (Drawing& drawing : drawings) {
    const uint64_t points = drawing.x.size();
    if (in_segment_ == segment_drawings_ ||
        (in_segment_ > 0 && segment_points_ + points > kSegmentPoints)) {
      if (absl::Status s = CloseSegment(); !s.ok()) return s;
    }
    open_unit_.push_back(std::move(drawing));
    ++in_segment_;
    ++appended_;
    segment_points_ += points;
    open_points_ += points;
    if (open_unit_.size() == kUnitDrawings || open_points_ >= kUnitPoints) {
      if (absl::Status s = CloseUnit(); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

absl::Status NewStoreWriter::CloseUnit() {
  if (open_unit_.empty()) return absl::OkStatus();
  Unit unit{model_, std::exchange(open_unit_, {}),
            std::exchange(opens_segment_, false)};
  open_unit_.reserve(kUnitDrawings);
  const uint64_t points = std::exchange(open_points_, 0);
  if (model_ != nullptr) return pipeline_->Push(std::move(unit));
  for (const Drawing& drawing : unit.drawings) {
    if (drawing.raw.empty()) trainer_.Add(drawing);
  }
  untrained_drawings_ += unit.drawings.size();
  untrained_points_ += points;
  untrained_.push_back(std::move(unit));
  if (untrained_drawings_ < kTrainingDrawings &&
      untrained_points_ < kTrainingPoints) {
    return absl::OkStatus();
  }
  return TrainAndRelease();
}

absl::Status NewStoreWriter::TrainAndRelease() {
  model_ = trainer_.Train();
  // Readers are faster with few models in their caches, so the segment before
  // lends its own unless a new one is clearly better.
  if (last_model_ != nullptr) {
    const uint64_t own = trainer_.CodedBits(*model_);
    if (trainer_.CodedBits(*last_model_) <= own + own / kModelGain) {
      model_ = last_model_;
    }
  }
  last_model_ = model_;
  untrained_drawings_ = 0;
  untrained_points_ = 0;
  for (Unit& unit : std::exchange(untrained_, {})) {
    unit.model = model_;
    if (absl::Status s = pipeline_->Push(std::move(unit)); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status NewStoreWriter::CloseSegment() {
  if (absl::Status s = CloseUnit(); !s.ok()) return s;
  if (model_ == nullptr) {
    if (absl::Status s = TrainAndRelease(); !s.ok()) return s;
  }
  trainer_ = StrokeModelTrainer();
  model_ = nullptr;
  in_segment_ = 0;
  segment_points_ = 0;
  opens_segment_ = true;
  return absl::OkStatus();
}

absl::Status NewStoreWriter::Commit(const Unit& unit,
                                    const EncodedUnit& encoded) {
  if (unit.opens_segment) {
    if (absl::Status s = FinishSegment(); !s.ok()) return s;
    segment_first_ = committed_;
    const std::string file =
        absl::StrFormat("segment-%06d.mdb", segments_.size());
    segments_.push_back({file, committed_, 0, 0, ""});
    absl::StatusOr<std::unique_ptr<SegmentWriter>> segment =
        SegmentWriter::Create(absl::StrCat(partial_->directory(), "/", file),
                              committed_, unit.model);
    if (!segment.ok()) return segment.status();
    segment_ = *std::move(segment);
  }
  if (absl::Status s = segment_->Add(encoded); !s.ok()) return s;
  for (size_t i = 0; i < unit.drawings.size(); ++i) {
    fold_.Add(encoded.hashes[i]);
    counts_.Add(unit.drawings[i], {encoded.split_hashes[i], &encoded.hashes[i],
                                   &encoded.deltas[i]});
  }
  if (absl::Status s = counts_.CheckLimits(); !s.ok()) return s;
  committed_ += unit.drawings.size();
  return absl::OkStatus();
}

absl::Status NewStoreWriter::FinishSegment() {
  if (segment_ == nullptr) return absl::OkStatus();
  // Fold runs that began and ended inside.
  const uint64_t first_run = (segment_first_ + kFoldRun - 1) / kFoldRun;
  const std::vector<Digest>& runs = fold_.runs();
  std::vector<Digest> inside;
  if (first_run < runs.size()) {
    inside.assign(runs.begin() + static_cast<ptrdiff_t>(first_run), runs.end());
  }
  absl::StatusOr<FinishedSegment> finished = segment_->Finish(inside);
  segment_.reset();
  if (!finished.ok()) return finished.status();
  SegmentEntry& entry = segments_.back();
  entry.drawings = finished->header.drawings;
  entry.bytes = finished->bytes;
  entry.content = ToHex(finished->header.content);
  return absl::OkStatus();
}

absl::StatusOr<std::string> NewStoreWriter::Finish() {
  if (finished_) return absl::FailedPreconditionError("the writer is finished");
  if (absl::Status s = CloseSegment(); !s.ok()) return s;
  if (absl::Status s = pipeline_->Drain(); !s.ok()) return s;
  if (absl::Status s = FinishSegment(); !s.ok()) return s;
  finished_ = true;
  Manifest manifest;
  counts_.FillIn(&manifest.info);
  manifest.info.name = name_;
  manifest.info.generation = 1;
  manifest.info.fingerprint = fold_.Finish();
  manifest.segments = segments_;
  absl::Status s = WriteManifest(partial_->directory(), manifest);
  if (!s.ok()) return s;
  if (s = partial_->Publish(); !s.ok()) return s;
  return manifest.info.fingerprint;
}

absl::Status NewStoreWriter::Discard() {
  if (finished_) {
    return absl::FailedPreconditionError(
        "the store is finished; remove its directory to be rid of it");
  }
  finished_ = true;
  pipeline_.reset();
  segment_.reset();
  return partial_->Remove();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StoreWriter>> StoreWriter::Create(
    const std::string& path, const WriterOptions& options) {
  absl::StatusOr<std::vector<SplitInfo>> splits = MakeSplits(options.splits);
  if (!splits.ok()) return splits.status();
  absl::StatusOr<std::unique_ptr<PartialStore>> partial =
      PartialStore::Create(path);
  if (!partial.ok()) return partial.status();
  return std::make_unique<NewStoreWriter>(*std::move(partial), options,
                                          *std::move(splits));
}

}  // namespace inkstream::store

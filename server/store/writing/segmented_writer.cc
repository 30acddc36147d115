#include "server/store/writing/segmented_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/store/format.h"
#include "server/store/generation/fingerprint_fold.h"
#include "server/store/generation/generation_finish.h"
#include "server/store/generation/generation_publish.h"
#include "server/store/generation/open_store.h"

namespace inkstream::store {
namespace {

// A new model must make the sample smaller by one part in this many.
constexpr uint64_t kModelGain = 50;

}  // namespace

SegmentedWriter::SegmentedWriter(std::unique_ptr<StagingDirectory> staging,
                                 const WriterOptions& options,
                                 ContentCounts counts, Manifest start,
                                 uint64_t base)
    : staging_(std::move(staging)),
      options_(options),
      segment_drawings_(
          options.segment_drawings == 0
              ? kUsualSegmentDrawings
              : std::min(options.segment_drawings, kSegmentDrawings)),
      base_(base),
      manifest_(std::move(start)),
      counts_(std::move(counts)) {
  for (const std::string& name : options.classes) counts_.AddClass(name);
  appended_ = committed_ = manifest_.segments.empty()
                               ? 0
                               : manifest_.segments.back().first +
                                     manifest_.segments.back().drawings;
  taken_over_ = committed_ - base_;
  durable_ = taken_over_;
  resume_point_ = manifest_.resume_point;
  if (options_.threads <= 0) {
    options_.threads =
        std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }
}

// Files of segments: new ones where the writer makes them, but for those that
// an interrupted Finish has moved.
std::vector<std::string> SegmentedWriter::Directories() const {
  std::vector<std::string> directories;
  for (const SegmentEntry& entry : manifest_.segments) {
    const std::string here =
        absl::StrCat(staging_->directory(), "/", entry.file);
    directories.push_back(access(here.c_str(), F_OK) == 0
                              ? staging_->directory()
                              : staging_->path());
  }
  return directories;
}

absl::Status SegmentedWriter::Start() {
  if (!manifest_.segments.empty()) {
    absl::StatusOr<std::shared_ptr<const OpenStore>> store = OpenStore::Create(
        staging_->path(), manifest_, Directories(), 0, {.check_columns = true});
    if (!store.ok()) return store.status();
    absl::Status folded = FoldStore(**store, options_.threads, &fold_);
    if (!folded.ok()) return folded;
    last_model_ = (*store)->segment((*store)->segments() - 1).shared_model();
  }
  if (absl::Status s = WriteCheckpoint(); !s.ok()) return s;
  pipeline_ = std::make_unique<UnitPipeline>(
      options_.threads, [this](const Unit& unit, EncodedUnit* encoded) {
        return Commit(unit, encoded);
      });
  return absl::OkStatus();
}

// Of the generation that is the base of this one.
absl::Status SegmentedWriter::WriteCheckpoint() {
  counts_.FillIn(&manifest_.info);
  manifest_.info.dropped = manifest_.dropped.count();
  return WriteManifest(staging_->directory(), manifest_, kCheckpointName);
}

absl::Status SegmentedWriter::Append(
    PackedDrawings drawings, const std::function<std::string()>& resume_point) {
  if (finished_) return absl::FailedPreconditionError("the writer is finished");
  const auto shared =
      std::make_shared<const PackedDrawings>(std::move(drawings));
  // The part that the open unit takes.
  UnitPart part{shared, 0, 0};
  const auto close = [&] {
    if (part.end > part.begin) open_unit_.push_back(part);
    part.begin = part.end;
    return CloseUnit();
  };
  for (size_t i = 0; i < shared->size(); ++i) {
    const uint64_t points = shared->points(i);
    if (in_segment_ == segment_drawings_ ||
        (in_segment_ > 0 && segment_points_ + points > kSegmentPoints)) {
      if (absl::Status s = close(); !s.ok()) return s;
      if (absl::Status s = CloseSegment(); !s.ok()) return s;
      segment_resume_point_ = resume_point();
    }
    ++part.end;
    ++open_drawings_;
    ++in_segment_;
    ++appended_;
    segment_points_ += points;
    open_points_ += points;
    if (open_drawings_ == kUnitDrawings || open_points_ >= kUnitPoints) {
      if (absl::Status s = close(); !s.ok()) return s;
    }
  }
  if (part.end > part.begin) open_unit_.push_back(std::move(part));
  return absl::OkStatus();
}

absl::Status SegmentedWriter::CloseUnit() {
  if (open_unit_.empty()) return absl::OkStatus();
  Unit unit{model_, std::exchange(open_unit_, {}),
            std::exchange(opens_segment_, false),
            std::exchange(segment_resume_point_, "")};
  const uint64_t drawings = std::exchange(open_drawings_, 0);
  const uint64_t points = std::exchange(open_points_, 0);
  if (model_ != nullptr) return pipeline_->Push(std::move(unit));
  for (const UnitPart& part : unit.parts) {
    for (size_t i = part.begin; i < part.end; ++i) Learn(*part.drawings, i);
  }
  untrained_drawings_ += drawings;
  untrained_points_ += points;
  untrained_.push_back(std::move(unit));
  if (untrained_drawings_ < kTrainingDrawings &&
      untrained_points_ < kTrainingPoints) {
    return absl::OkStatus();
  }
  return TrainAndRelease();
}

void SegmentedWriter::Learn(const PackedDrawings& drawings, size_t i) {
  const PackedDrawing drawing = drawings[i];
  if (drawing.raw) return;
  learnt_ends_.resize(drawing.strokes);
  std::memcpy(learnt_ends_.data(), drawing.stroke_ends,
              drawing.strokes * sizeof(uint32_t));
  trainer_.Add(ByteStrokes{
      learnt_ends_, {drawing.x, drawing.points}, {drawing.y, drawing.points}});
}

absl::Status SegmentedWriter::TrainAndRelease() {
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

absl::Status SegmentedWriter::CloseSegment() {
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

absl::Status SegmentedWriter::Commit(const Unit& unit, EncodedUnit* encoded) {
  if (unit.opens_segment) {
    absl::Status finished = FinishSegment(unit.resume_point);
    if (!finished.ok()) return finished;
    segment_first_ = fold_.drawings();
    const std::string file =
        absl::StrFormat("segment-%06d.mdb", manifest_.segments.size());
    manifest_.segments.push_back({file, committed_, 0, 0, ""});
    absl::StatusOr<std::unique_ptr<SegmentWriter>> segment =
        SegmentWriter::Create(absl::StrCat(staging_->directory(), "/", file),
                              fold_.drawings(), unit.model);
    if (!segment.ok()) return segment.status();
    segment_ = *std::move(segment);
  }
  counts_.Add(*encoded);
  if (absl::Status s = counts_.CheckLimits(); !s.ok()) return s;
  if (absl::Status s = segment_->Add(encoded); !s.ok()) return s;
  fold_.Add(encoded->hashes);
  committed_ += encoded->size();
  return absl::OkStatus();
}

absl::Status SegmentedWriter::FinishSegment(std::string resume_point) {
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
  SegmentEntry& entry = manifest_.segments.back();
  entry.drawings = finished->header.drawings;
  entry.bytes = finished->bytes;
  entry.content = ToHex(finished->header.content);
  manifest_.resume_point = std::move(resume_point);
  if (absl::Status s = WriteCheckpoint(); !s.ok()) return s;
  durable_ = committed_ - base_;
  return absl::OkStatus();
}

absl::StatusOr<std::string> SegmentedWriter::Finish(std::string resume_point) {
  if (finished_) return absl::FailedPreconditionError("the writer is finished");
  if (absl::Status s = CloseSegment(); !s.ok()) return s;
  if (absl::Status s = pipeline_->Drain(); !s.ok()) return s;
  absl::Status written = FinishSegment(std::move(resume_point));
  if (!written.ok()) return written;
  GenerationParts parts;
  parts.path = staging_->path();
  parts.directories = Directories();
  parts.duplicates = options_.duplicates;
  parts.memory_bytes = options_.memory_bytes;
  parts.threads = options_.threads;
  parts.new_places = base_;
  absl::Status s = FinishGeneration(parts, &counts_, &fold_, &manifest_);
  if (!s.ok()) return s;
  finished_ = true;
  ++manifest_.info.generation;
  manifest_.job = options_.job;
  manifest_.resume_point.clear();
  if (s = PublishGeneration(staging_.get(), manifest_); !s.ok()) return s;
  return manifest_.info.fingerprint;
}

absl::Status SegmentedWriter::Discard() {
  if (finished_) {
    return absl::FailedPreconditionError(
        "the store is finished; remove its directory to be rid of it");
  }
  finished_ = true;
  pipeline_.reset();
  segment_.reset();
  return staging_->Remove();
}

}  // namespace inkstream::store

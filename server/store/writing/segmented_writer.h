// The writer of a store: cuts drawings into units and segments.
//
// Append cuts the drawings into units and segments and trains each segment's
// model on its first drawings; UnitPipeline encodes; Commit, on its committer
// thread, packs units into segments in index order. Where the cuts fall depends
// on the drawings alone, never on how they were appended or on threads.
//
// Thread safety: as StoreWriter.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/store/generation/manifest.h"
#include "server/store/generation/staging_directory.h"
#include "server/store/segment/segment_writer.h"
#include "server/store/store_writer.h"
#include "server/store/writing/content_counts.h"
#include "server/store/writing/fingerprint.h"
#include "server/store/writing/unit_pipeline.h"

namespace inkstream::store {

class SegmentedWriter final : public StoreWriter {
 public:
  // `start`: what is durable: segments of the store that is appended to and of
  // an interrupted writer. `base`: drawings of the former.
  SegmentedWriter(std::unique_ptr<StagingDirectory> staging,
                  const WriterOptions& options, ContentCounts counts,
                  Manifest start, uint64_t base);

  // Reads what has to be known of the durable segments, then takes drawings.
  absl::Status Start();

  using StoreWriter::Append;
  using StoreWriter::Finish;
  absl::Status Append(
      PackedDrawings drawings,
      const std::function<std::string()>& resume_point) override;
  absl::StatusOr<std::string> Finish(std::string resume_point) override;
  absl::Status Discard() override;
  uint64_t drawings() const override { return appended_; }
  uint64_t taken_over() const override { return taken_over_; }
  std::string resume_point() const override { return resume_point_; }
  uint64_t durable() const override { return durable_.load(); }
  const std::string& directory() const override {
    return staging_->directory();
  }

 private:
  std::vector<std::string> Directories() const;
  absl::Status WriteCheckpoint();
  absl::Status CloseUnit();
  void Learn(const PackedDrawings& drawings, size_t i);
  absl::Status TrainAndRelease();
  absl::Status CloseSegment();
  absl::Status Commit(const Unit& unit, EncodedUnit* encoded);
  // `resume_point`: behind the segment.
  absl::Status FinishSegment(std::string resume_point);

  std::unique_ptr<StagingDirectory> staging_;
  WriterOptions options_;
  const uint64_t segment_drawings_;
  const uint64_t base_;
  uint64_t taken_over_ = 0;
  std::string resume_point_;  // behind what was taken over
  std::atomic<uint64_t> durable_{0};
  bool finished_ = false;

  // Used by the caller's thread.
  uint64_t appended_ = 0;
  uint64_t in_segment_ = 0;  // drawings
  uint64_t segment_points_ = 0;
  std::vector<UnitPart> open_unit_;
  uint64_t open_drawings_ = 0;
  uint64_t open_points_ = 0;
  std::vector<Unit> untrained_;  // held until the segment has its model
  uint64_t untrained_drawings_ = 0;
  uint64_t untrained_points_ = 0;
  bool opens_segment_ = true;
  std::string segment_resume_point_;  // in front of the segment that is open
  StrokeModelTrainer trainer_;
  std::vector<uint32_t> learnt_ends_;
  std::shared_ptr<const StrokeModel> model_;
  std::shared_ptr<const StrokeModel> last_model_;

  // Used by the committer's thread, and by Finish after Drain.
  Manifest manifest_;  // its segments; the rest is filled in at the end
  ContentCounts counts_;
  FingerprintFold fold_;
  std::unique_ptr<SegmentWriter> segment_;
  uint64_t segment_first_ = 0;
  uint64_t committed_ = 0;

  // Last: its threads end before what they use.
  std::unique_ptr<UnitPipeline> pipeline_;
};

}  // namespace inkstream::store

// One batch being laid out: rows -> drawings -> the bytes of one buffer.
//
// The rows are cut into pieces that workers run in any order and at the same
// time; what comes out depends on the recipe and the rows alone.
//
// Thread safety: RunPiece may run for different pieces at once. Take() and
// status() only after a RunPiece returned true.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "inkstream/plan.h"
#include "server/batch/batch_layout.h"
#include "server/batch/finished_batch.h"
#include "server/batch/packed_pieces.h"
#include "server/batch/resolved_view.h"
#include "server/batch/sampled_view.h"
#include "server/batch/worker_scratch.h"
#include "server/order/epoch_order.h"
#include "server/raster/drawing_tensors.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

// What all batches of one stream have in common.
struct BatchRecipe {
  std::shared_ptr<const store::StoreReader> store;
  std::shared_ptr<const SampledView> sampled;
  std::shared_ptr<const ResolvedView> view;  // sampled's
  BatchLayout layout;
  std::optional<ImageSpec> image;
  std::optional<StrokesSpec> strokes;
  std::optional<AugmentSpec> augment;
  double dataset_std = 0;  // for StrokeScale::kDataset
  // With the epoch, the drawing and the number of the view, what augmentation
  // is drawn from.
  uint64_t seed = 0;
  uint32_t first_view = 0;
  uint32_t max_image_side = 0;
  uint32_t max_stroke_len = 0;
  int64_t ignore_index = 0;
  uint32_t rows_a_piece = 1;
  bool skip_damaged = false;  // ON_CORRUPT_SKIP
};

// How many rows make one piece: about half a millisecond of drawing, so that
// many streams take turns quickly, and at most an even share of a batch.
uint32_t RowsAPiece(const DeliverySpec& delivery, int workers);

// Of a fetch: a quarter of that, since it is one batch and short, and whoever
// draws it should not have to wait for a piece that another has begun.
uint32_t FetchRowsAPiece(const DeliverySpec& delivery, int workers);

// Which drawings the rows stand for.
struct RowSource {
  std::vector<uint64_t> indices;  // store indices; or, if it is empty,
  std::shared_ptr<const order::EpochOrder> order;
  uint64_t first = 0;  // row i stands for position (first + i) % order->size()

  // Store indices of rows [row, row + indices.size()) and, where it is not
  // empty, how often each drawing came before in its epoch.
  void Resolve(const SampledView& sampled, uint32_t row,
               absl::Span<int64_t> out, absl::Span<uint64_t> occurrences) const;
};

// How a batch is to be packed; without a packer, not at all.
struct Packing {
  WireForm form = WireForm::kRaw;
  std::shared_ptr<Packer> packer;
};

class BatchJob {
 public:
  // `batch` has everything but the tensors; its buffer has at least
  // layout.Bytes(batch.rows) bytes. Rows from `valid_rows` on are not valid.
  BatchJob(std::shared_ptr<const BatchRecipe> recipe, RowSource source,
           FinishedBatch batch, uint32_t valid_rows, Packing packing = {});

  uint32_t pieces() const { return pieces_; }

  // True from exactly one call: the one that completed the batch.
  bool RunPiece(uint32_t piece, WorkerScratch* scratch);

  // Nobody needs the batch: the pieces that have not begun are not drawn, and
  // status() is CANCELLED. Before the last call of RunPiece().
  void Cancel() { Fail(absl::CancelledError("the batch was given up")); }

  const absl::Status& status() const { return status_; }
  // Of the records that were skipped, what the first one met said.
  const absl::Status& damage() const { return damage_; }
  FinishedBatch Take() { return std::move(batch_); }
  // Of the pieces that are done, from any thread.
  StageTimes stages() const;
  uint32_t rows() const { return batch_.rows; }

  // Time spent reading records, estimated from every eighth of them.
  double store_seconds() const { return store_nanos_.load() * 1e-9; }

 private:
  // What of a piece's time is measured directly, in seconds.
  struct Measured {
    double reading = 0;
    double packing = 0;
  };

  void LayOut(uint32_t first, uint32_t last, WorkerScratch* scratch,
              Measured* measured);
  // `occurrences`: of rows [first, last); empty: none came before. `encoded`:
  // takes the drawings, whose images are then not drawn; what is longer than
  // `max_encoded` lacks some of them. null: draws them.
  absl::Status DrawRows(uint32_t first, uint32_t last,
                        absl::Span<const uint64_t> occurrences,
                        std::vector<uint8_t>* encoded, uint64_t max_encoded,
                        WorkerScratch* scratch, Measured* measured);
  // Draws the piece's rows and packs their images.
  absl::Status DrawPacked(uint32_t first, uint32_t last,
                          absl::Span<const uint64_t> occurrences,
                          WorkerScratch* scratch, Measured* measured);
  absl::StatusOr<raster::DrawingTensors> ToolsOf(WorkerScratch* scratch) const;
  void FillColumn(Field field, uint32_t first, uint32_t last,
                  const int64_t* indices, uint8_t* bytes) const;
  void JoinRagged();
  void ZeroGaps();
  void Fail(absl::Status status);
  // Whether the stream goes on without the record that cannot be read.
  // `counted`: it was met before.
  bool Skip(const absl::Status& status, bool counted);

  // The bytes of a tensor, or nullptr where it was not asked for.
  uint8_t* BytesOf(Field field) const;

  const std::shared_ptr<const BatchRecipe> recipe_;
  const RowSource source_;
  FinishedBatch batch_;
  const uint32_t valid_rows_;
  const uint32_t pieces_;
  const std::unique_ptr<PackedPieces> packed_;  // null: nothing is packed
  const WireForm form_;
  std::atomic<uint32_t> unfinished_;
  std::atomic<int64_t> store_nanos_{0};
  // Of `stages`, in nanoseconds: disk, decode, draw, pack.
  std::array<std::atomic<int64_t>, 4> stage_nanos_ = {};
  std::atomic<bool> failed_{false};
  std::mutex mu_;
  absl::Status status_;  // the first error; guarded by mu_ until all are done
  absl::Status damage_;  // likewise
};

}  // namespace inkstream::batch

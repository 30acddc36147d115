// Batches that travel as rows: found, and their strokes encoded behind each
// other into one buffer.
//
// Several small batches are one piece of work, so that a turn at the workers is
// worth about the same time for every form; a large one is several pieces.
// How long strokes will be is not known before they are read, so the buffer is
// taken by what rows took so far. What does not fit is left, and how long it is
// told exactly, so that the next attempt fits.
//
// Thread safety: as PieceJob.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "server/batch/job/piece_job.h"
#include "server/layout/damage.h"
#include "server/order/step_schedule.h"
#include "server/rows/rows_form.h"

namespace inkstream::batch {

// One batch of a run, and where its stream stood.
struct RowsPart {
  uint64_t sequence = 0;
  order::Step step;
  // Behind the step; nullopt: it is no stream's.
  std::optional<order::StepSchedule::Walker> after;
  RowSource source;
};

// How a run lies in its buffer.
struct RowsRoom {
  // Of a piece: a single drawing may have a thousand points.
  static constexpr uint64_t kSlack = 4096;
  // Of the strokes of a usual drawing, with room for longer ones.
  static constexpr double kUsualRowBytes = 128;

  rows::RowsShape shape;
  uint32_t rows_a_piece = 0;
  // What strokes take, in bytes a row; or exactly, by piece.
  double row_bytes = 0;
  std::vector<uint64_t> exact;

  uint32_t Pieces(uint32_t rows) const {
    return (rows + rows_a_piece - 1) / rows_a_piece;
  }
  // Of a piece's strokes.
  uint64_t StrokesBytes(uint32_t piece, uint32_t rows) const;
  // Of one batch as several pieces, or of `batches` in one.
  uint64_t Bytes(uint32_t rows, uint32_t batches) const;
};

class RowsJob : public PieceJob {
 public:
  // Of a run of several batches: a message's worth, some milliseconds of work.
  static constexpr uint64_t kRunBytes = 256U << 10U;

  // `buffer` has room.Bytes() of the parts. More than one of them: all rows are
  // one piece.
  RowsJob(std::shared_ptr<const BatchRecipe> recipe, RowsRoom room,
          std::vector<RowsPart> parts, std::shared_ptr<Buffer> buffer);

  uint32_t rows() const override { return rows_; }
  std::vector<FinishedBatch> Take() override;

  // Parts that became batches; the others did not fit, or follow an error.
  size_t fitted() const { return batches_.size(); }
  const std::vector<RowsPart>& parts() const { return parts_; }
  const RowsRoom& room() const { return room_; }
  // Bytes of the strokes of the first part that did not fit, by piece.
  const std::vector<uint64_t>& exact() const { return strokes_bytes_; }
  // Bytes of strokes of the rows that were encoded, a row.
  double row_bytes() const;

 protected:
  absl::Status RunRows(uint32_t piece, WorkerScratch* scratch,
                       Measured* measured) override;
  void Complete() override;

 private:
  // Where rows [first, last) of a part go.
  struct Place {
    uint8_t* batch;    // the part's first byte
    uint8_t* strokes;  // of the first of these rows
    uint8_t* end;      // of the room for them
  };

  // Returns the bytes of their strokes, also where they do not fit.
  absl::StatusOr<uint64_t> WriteRows(const RowsPart& part, uint32_t first,
                                     uint32_t last, const Place& place,
                                     layout::Damage* damage,
                                     WorkerScratch* scratch,
                                     Measured* measured);
  void AddBatch(const RowsPart& part, uint64_t offset, uint64_t wire_size,
                const layout::Damage& damage);

  const RowsRoom room_;
  const std::vector<RowsPart> parts_;
  const std::shared_ptr<Buffer> buffer_;
  const uint32_t rows_;
  layout::Damage damage_;                // of a part in several pieces
  std::vector<uint64_t> strokes_bytes_;  // by piece
  std::vector<FinishedBatch> batches_;
  uint64_t written_rows_ = 0;  // in one piece
  uint64_t written_bytes_ = 0;
};

}  // namespace inkstream::batch

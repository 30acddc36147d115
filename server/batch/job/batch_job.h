// One batch being laid out: rows -> drawings -> the bytes of one buffer.
//
// Each piece finds its rows (order, columns, records) and has them laid out.
// What comes out depends on the recipe and the rows alone.
//
// Thread safety: as PieceJob.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "inkstream/plan.h"
#include "server/batch/job/piece_job.h"
#include "server/layout/batch_tensors.h"
#include "server/layout/damage.h"

namespace inkstream::batch {

class BatchJob : public PieceJob {
 public:
  // `batch` has everything but the tensors; its buffer has at least
  // layout.Bytes(batch.rows) bytes. Rows from `valid_rows` on are not valid.
  BatchJob(std::shared_ptr<const BatchRecipe> recipe, RowSource source,
           FinishedBatch batch, uint32_t valid_rows);

  uint32_t rows() const override { return batch_.rows; }
  std::vector<FinishedBatch> Take() override;

 protected:
  absl::Status RunRows(uint32_t piece, WorkerScratch* scratch,
                       Measured* measured) override;
  void Complete() override;

 private:
  const RowSource source_;
  FinishedBatch batch_;
  layout::BatchTensors tensors_;
  const uint32_t valid_rows_;
  layout::Damage damage_;
};

}  // namespace inkstream::batch

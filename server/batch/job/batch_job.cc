#include "server/batch/job/batch_job.h"

#include <algorithm>
#include <utility>

#include "server/layout/piece_layout.h"

namespace inkstream::batch {

using layout::Field;

BatchJob::BatchJob(std::shared_ptr<const BatchRecipe> recipe, RowSource source,
                   FinishedBatch batch, uint32_t valid_rows)
    : PieceJob(recipe,
               (batch.rows + recipe->rows_a_piece - 1) / recipe->rows_a_piece),
      source_(std::move(source)),
      batch_(std::move(batch)),
      tensors_(*recipe_, batch_.rows, batch_.buffer->data()),
      valid_rows_(valid_rows),
      damage_(recipe_->skip_damaged) {}

absl::Status BatchJob::RunRows(uint32_t piece, WorkerScratch* scratch,
                               Measured* measured) {
  const uint32_t first = piece * recipe_->rows_a_piece;
  const uint32_t last = std::min(batch_.rows, first + recipe_->rows_a_piece);
  const absl::Span<int64_t> indices =
      absl::MakeSpan(tensors_.index() + first, last - first);
  std::vector<uint64_t> occurrences;
  if (recipe_->augment.has_value()) occurrences.resize(indices.size());
  source_.Resolve(*recipe_->sampled, first, indices,
                  absl::MakeSpan(occurrences));
  const std::vector<Field>& fields = recipe_->layout.fields();
  for (size_t t = 0; t < fields.size(); ++t) {
    if (!layout::IsColumn(fields[t])) continue;
    auto* const out = reinterpret_cast<int64_t*>(tensors_.memory() +
                                                 tensors_.tensors()[t].offset);
    FillColumn(*recipe_, fields[t], indices, out + first);
  }
  for (uint32_t row = first; row < last; ++row) {
    tensors_.valid()[row] = row < valid_rows_ ? 1 : 0;
  }
  if (!recipe_->draws()) return absl::OkStatus();
  store::DrawingReader* const reader = scratch->ReaderOf(*recipe_->store);
  reader->Find(indices);
  measured->found = ThreadUsage::Now();

  const absl::StatusOr<double> decoding = layout::LayOut(
      *recipe_, {first, last, batch_.epoch, occurrences}, tensors_,
      [reader](size_t i) { return reader->ReadFound(i); }, scratch->tools(),
      &damage_);
  if (!decoding.ok()) return decoding.status();
  measured->decoding = *decoding;
  return absl::OkStatus();
}

void BatchJob::Complete() {
  if (recipe_->layout.ragged()) tensors_.JoinRagged();
  batch_.tensors = tensors_.tensors();
  batch_.byte_size = tensors_.byte_size();
  batch_.bad = damage_.rows();
  batch_.damage = damage_.first();
}

std::vector<FinishedBatch> BatchJob::Take() {
  std::vector<FinishedBatch> batches;
  if (status().ok()) batches.push_back(std::move(batch_));
  return batches;
}

}  // namespace inkstream::batch

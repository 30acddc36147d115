// A batch that came as rows, laid out by piece: what a client does with them.
//
// Ownership: borrows the recipe, the rows' bytes and the memory. Thread safety:
// different pieces at once; the rest after all of them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "server/layout/batch_tensors.h"
#include "server/layout/damage.h"
#include "server/layout/drawing_tools.h"
#include "server/layout/layout_recipe.h"
#include "server/rows/rows_form.h"

namespace inkstream::layout {

// What the rows of the recipe's batches have. `sampled`: drawings may come
// several times in an epoch.
rows::RowsShape RowsShapeOf(const LayoutRecipe& recipe, bool sampled);

class RowsBatch {
 public:
  // `memory` has recipe.layout.Bytes(rows.rows()) bytes. `whence`: the dataset
  // and where it came from, for texts.
  RowsBatch(const LayoutRecipe& recipe, rows::RowsView rows, uint64_t epoch,
            std::string whence, uint8_t* memory);

  uint32_t pieces() const;
  // DATA_LOSS: a drawing cannot be read, and is not to be skipped.
  // INVALID_ARGUMENT: one is too long, under TooLong::kError.
  absl::Status DrawPiece(uint32_t piece, DrawingTools* tools);

  // The rest. Then tensors() is what there is.
  void Join();
  const BatchTensors& tensors() const { return tensors_; }
  // Drawings that could not be read here; what the server could not read came
  // without strokes and is counted by it.
  const Damage& damage() const { return damage_; }

 private:
  const LayoutRecipe& recipe_;
  const rows::RowsView rows_;
  const uint64_t epoch_;
  const std::string whence_;
  BatchTensors tensors_;
  Damage damage_;
};

}  // namespace inkstream::layout

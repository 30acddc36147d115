// The rows of a batch: which drawings, and what of them is not drawn.
//
// Thread safety: immutable; pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "server/batch/view/resolved_view.h"
#include "server/batch/view/sampled_view.h"
#include "server/layout/layout_recipe.h"
#include "server/order/epoch_order.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

// What all batches of one stream have in common.
struct BatchRecipe : layout::LayoutRecipe {
  std::shared_ptr<const store::StoreReader> store;
  std::shared_ptr<const SampledView> sampled;
  std::shared_ptr<const ResolvedView> view;  // sampled's
  int64_t ignore_index = 0;
};

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

// The values of a column of the drawings `indices`; of none that is drawn, of
// the index or of `valid`.
void FillColumn(const BatchRecipe& recipe, layout::Field field,
                absl::Span<const int64_t> indices, int64_t* out);

}  // namespace inkstream::batch

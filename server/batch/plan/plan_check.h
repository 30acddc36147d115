// Checks of plans: what a request may ask for, and what comes of it.
//
// Thread safety: plain value; the functions may be called from any thread.
// Errors are INVALID_ARGUMENT unless they say otherwise, and name the field,
// its value and the limit.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/batch/dataset.h"
#include "server/batch/engine_options.h"
#include "server/batch/plan/fetch_plan.h"
#include "server/batch/view/sampled_view.h"
#include "server/batch/view/view_cache.h"
#include "server/layout/layout_recipe.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

// Checks rank and world, prices the delivery against the limits and the memory
// for batches, then checks what the tensors are made of. Answers what batches
// are laid out by, but for the seed, the first view and the rows a piece.
absl::StatusOr<layout::LayoutRecipe> CheckDelivery(
    const DeliverySpec& delivery, const EngineOptions& options,
    const store::StoreReader& store);

struct OpenedPlan {
  Dataset dataset;  // in the generation that the plan asks for
  layout::LayoutRecipe recipe;
  std::shared_ptr<const SampledView> sampled;
  Cursor start;
};

// Checks the delivery, resolves the view, which may take as long as a scan of
// the store, and checks the cursor. `dataset` is in the generation that the
// plan asks for. Errors are of those checks and name the field. The rows a
// piece are left to whoever runs it.
absl::StatusOr<OpenedPlan> OpenPlan(const Plan& plan, Dataset dataset,
                                    const EngineOptions& options,
                                    ViewCache* views);

// Exactly one list, at most max_fetch_indices long.
absl::Status CheckFetch(const FetchPlan& plan, const Limits& limits);

// A served name: 1..64 of letters, digits, '.', '_' and '-'.
absl::Status CheckDatasetName(const std::string& name);

}  // namespace inkstream::batch

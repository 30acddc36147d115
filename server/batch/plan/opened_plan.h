// A plan that was checked against its dataset.
//
// Thread safety: plain value; the function may be called from any thread.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/batch/dataset.h"
#include "server/batch/engine.h"
#include "server/batch/view/sampled_view.h"
#include "server/batch/view/view_cache.h"
#include "server/layout/batch_layout.h"

namespace inkstream::batch {

struct OpenedPlan {
  Dataset dataset;  // in the generation that the plan asks for
  layout::BatchLayout layout;
  std::shared_ptr<const SampledView> sampled;
  Cursor start;
};

// Checks the generation, the sharding, the price and the cursor, in this order,
// and resolves the view: that may take as long as a scan of the store. Errors
// are of those checks and name the field.
absl::StatusOr<OpenedPlan> OpenPlan(const Plan& plan, Dataset dataset,
                                    const EngineOptions& options,
                                    ViewCache* views);

}  // namespace inkstream::batch

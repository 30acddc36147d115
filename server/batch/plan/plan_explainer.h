// Lists the steps of an order: the same functions that a stream is made of, so
// that what is listed is what it delivers.
//
// Thread safety: pure functions.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "inkstream/plan.h"
#include "server/batch/plan/explained_plan.h"
#include "server/batch/view/sampled_view.h"
#include "server/layout/batch_layout.h"

namespace inkstream::batch {

// Fills `explained`, whose start is set, from a plan that was checked. Lists at
// most `max_drawings` drawings, but one step at least. INVALID_ARGUMENT: no
// such step in the epoch, or as StepSchedule.
absl::Status ExplainSteps(const Plan& plan, const StepsAsked& asked,
                          const SampledView& sampled,
                          const layout::BatchLayout& layout,
                          uint64_t max_drawings, ExplainedPlan* explained);

}  // namespace inkstream::batch

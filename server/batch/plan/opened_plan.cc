#include "server/batch/plan/opened_plan.h"

#include <utility>

#include "server/batch/plan/plan_check.h"
#include "server/order/order_plan.h"

namespace inkstream::batch {

absl::StatusOr<OpenedPlan> OpenPlan(const Plan& plan, Dataset dataset,
                                    const EngineOptions& options,
                                    ViewCache* views) {
  absl::Status status =
      UseGeneration("open.fingerprint", plan.fingerprint, &dataset);
  if (status.ok() && plan.fingerprint.empty() && plan.start.has_value()) {
    status = UseGeneration("open.cursor.fingerprint", plan.start->fingerprint,
                           &dataset);
  }
  status.Update(CheckSharding(plan.delivery, options.limits));
  if (!status.ok()) return status;
  absl::StatusOr<layout::BatchLayout> layout =
      PriceDelivery(plan.delivery, options, dataset.store->info().has_times);
  if (!layout.ok()) return layout.status();
  absl::StatusOr<std::shared_ptr<const SampledView>> sampled =
      SampledView::Create(views, *dataset.store, plan.view,
                          plan.order.sampling);
  if (!sampled.ok()) return sampled.status();
  Cursor start;
  start.fingerprint = dataset.store->info().fingerprint;
  start.order_plan = (*sampled)->OrderPlan(plan.order);
  start.plan_hash = order::OrderPlanHash(start.order_plan);
  start.seed = plan.order.seed;
  if (plan.start.has_value()) {
    status =
        order::CheckCursor(*plan.start, start.fingerprint, start.order_plan);
    if (!status.ok()) return status;
    start.epoch = plan.start->epoch;
    start.position = plan.start->position;
  }
  return OpenedPlan{std::move(dataset), *std::move(layout), *std::move(sampled),
                    std::move(start)};
}

}  // namespace inkstream::batch

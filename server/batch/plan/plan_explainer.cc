#include "server/batch/plan/plan_explainer.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "server/order/epoch_order.h"
#include "server/order/step_schedule.h"

namespace inkstream::batch {
namespace {

// Appends what the step's rows stand for.
void AddRows(const order::Step& step, const order::EpochOrder& order,
             const SampledView& sampled, PlannedStep* planned) {
  std::vector<order::Pick> picks(step.rows);
  order.PicksFrom(step.first, absl::MakeSpan(picks));
  for (const order::Pick& pick : picks) {
    planned->indices.push_back(static_cast<int64_t>(sampled.IndexOf(pick)));
    planned->occurrences.push_back(sampled.OccurrenceOf(pick));
  }
}

void AddComponents(const Plan& plan, const SampledView& sampled,
                   ExplainedPlan* explained) {
  const Sampling& sampling = plan.order.sampling;
  if (sampling.kind == SamplingKind::kUniform ||
      sampling.kind == SamplingKind::kDrawings) {
    return;
  }
  const order::Mixture& mixture = *sampled.mixture();
  for (size_t i = 0; i < mixture.sizes.size(); ++i) {
    explained->components.push_back({sampling.kind == SamplingKind::kMix
                                         ? absl::StrCat("views[", i, "]")
                                         : sampled.view()->classes()[i],
                                     mixture.sizes[i], mixture.quotas[i]});
  }
}

absl::StatusOr<std::vector<order::StepSchedule>> SchedulesOf(
    const Plan& plan, bool all_ranks, uint64_t size,
    order::EpochPosition start) {
  std::vector<order::StepSchedule> schedules;
  DeliverySpec delivery = plan.delivery;
  const uint32_t first = all_ranks ? 0 : delivery.rank;
  const uint32_t last = all_ranks ? delivery.world : delivery.rank + 1;
  for (delivery.rank = first; delivery.rank < last; ++delivery.rank) {
    absl::StatusOr<order::StepSchedule> schedule =
        order::StepSchedule::Create(size, delivery, start);
    if (!schedule.ok()) return schedule.status();
    schedules.push_back(*std::move(schedule));
  }
  return schedules;
}

absl::Status TooMany(uint64_t many, uint64_t most, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("all_ranks: a step of ", many, " ", what, "; at most ", most,
                   " drawings are listed: ask for the step rank by rank"));
}

}  // namespace

absl::Status ExplainSteps(const Plan& plan, const StepsAsked& asked,
                          const SampledView& sampled,
                          const layout::BatchLayout& layout,
                          uint64_t max_drawings, ExplainedPlan* explained) {
  const order::EpochPosition entered = {explained->start.epoch,
                                        explained->start.position};
  absl::StatusOr<std::vector<order::StepSchedule>> own =
      SchedulesOf(plan, false, sampled.size(), entered);
  if (!own.ok()) return own.status();
  const order::StepSchedule& schedule = own->front();
  explained->view_size = sampled.view()->size();
  explained->epoch_size = sampled.size();
  explained->steps_per_epoch = schedule.StepsFrom(0);
  explained->steps_left = schedule.StepsFrom(entered.position);
  explained->step_drawings =
      uint64_t{plan.delivery.world} * plan.delivery.batch_size;
  explained->batch_bytes = layout.Bytes(plan.delivery.batch_size);
  AddComponents(plan, sampled, explained);
  if (asked.count == 0) return absl::OkStatus();

  if (asked.all_ranks && plan.delivery.world > max_drawings) {
    return TooMany(plan.delivery.world, max_drawings, "ranks");
  }
  if (asked.first >= explained->steps_left) {
    return absl::InvalidArgumentError(
        absl::StrCat("step: ", asked.first, " is not below ",
                     explained->steps_left, ", the steps of epoch ",
                     entered.epoch, " from position ", entered.position));
  }
  absl::StatusOr<order::EpochOrder> order =
      order::EpochOrder::Create(plan.order, sampled.mixture(), entered.epoch);
  if (!order.ok()) return order.status();
  absl::StatusOr<std::vector<order::StepSchedule>> schedules =
      SchedulesOf(plan, asked.all_ranks, sampled.size(), entered);
  if (!schedules.ok()) return schedules.status();
  uint64_t listed = 0;
  for (uint32_t i = 0; i < asked.count; ++i) {
    const std::optional<order::Step> step =
        schedule.StepAt(entered, asked.first + i);
    if (!step.has_value()) break;
    PlannedStep planned;
    planned.step = *step;
    planned.bytes = layout.Bytes(step->rows);
    std::vector<order::Step> ranks;
    uint64_t rows = 0;
    for (const order::StepSchedule& rank : *schedules) {
      ranks.push_back(*rank.StepAt(entered, asked.first + i));
      rows += ranks.back().rows;
    }
    listed += rows;
    if (listed > max_drawings) {
      if (i == 0) return TooMany(rows, max_drawings, "drawings");
      break;
    }
    for (const order::Step& rank : ranks) {
      AddRows(rank, *order, sampled, &planned);
    }
    explained->steps.push_back(std::move(planned));
  }
  return absl::OkStatus();
}

}  // namespace inkstream::batch

#include <utility>

#include "server/batch/plan/explained_plan.h"
#include "server/service/service.h"
#include "server/wire/messages.h"

namespace inkstream::service {

absl::Status ExplainPlan(const Service& service,
                         const v1::ExplainPlanRequest& request,
                         v1::ExplainPlanResponse* response) {
  v1::StreamBatchesRequest opening;
  opening.set_dataset(request.dataset());
  *opening.mutable_open() = request.open();
  absl::StatusOr<Plan> plan = wire::PlanFromProto(opening);
  if (!plan.ok()) return plan.status();
  absl::StatusOr<batch::ExplainedPlan> explained = service.engine->Explain(
      *plan,
      {request.epoch(), request.step(), request.steps(), request.all_ranks()});
  if (!explained.ok()) return explained.status();
  response->set_dataset(explained->dataset);
  response->set_refuses_unknown(true);
  wire::CursorToProto(explained->start, response->mutable_cursor());
  response->set_view_drawings(explained->view_size);
  response->set_epoch_drawings(explained->epoch_size);
  response->set_steps_per_epoch(explained->steps_per_epoch);
  response->set_steps_left(explained->steps_left);
  response->set_step_drawings(explained->step_drawings);
  response->set_batch_bytes(explained->batch_bytes);
  for (const batch::PlannedComponent& component : explained->components) {
    v1::ExplainPlanResponse::Component* const proto =
        response->add_components();
    proto->set_name(component.name);
    proto->set_drawings(component.drawings);
    proto->set_positions(component.positions);
  }
  for (const batch::PlannedStep& planned : explained->steps) {
    v1::PlannedStep* const proto = response->add_steps();
    proto->set_epoch(planned.step.epoch);
    proto->set_step(planned.step.number);
    proto->set_position(planned.step.first);
    Cursor after = explained->start;
    after.order_plan.clear();
    after.epoch = planned.step.after.epoch;
    after.position = planned.step.after.position;
    wire::CursorToProto(after, proto->mutable_cursor());
    proto->mutable_index()->Assign(planned.indices.begin(),
                                   planned.indices.end());
    proto->mutable_occurrence()->Assign(planned.occurrences.begin(),
                                        planned.occurrences.end());
    proto->set_valid_rows(planned.step.valid_rows);
    proto->set_bytes(planned.bytes);
  }
  return absl::OkStatus();
}

}  // namespace inkstream::service

#include <utility>

#include "server/wire/messages.h"

namespace inkstream::wire {

absl::StatusOr<Plan> PlanFromProto(const v1::StreamBatchesRequest& request) {
  const v1::StreamBatchesRequest::Open& open = request.open();
  Plan plan;
  plan.dataset = request.dataset();
  plan.fingerprint = open.fingerprint();
  absl::StatusOr<View> view = ViewFromProto(open.view());
  if (!view.ok()) return view.status();
  plan.view = *std::move(view);
  absl::StatusOr<OrderSpec> order = OrderFromProto(open.order());
  if (!order.ok()) return order.status();
  plan.order = *order;
  absl::StatusOr<DeliverySpec> delivery = DeliveryFromProto(open.delivery());
  if (!delivery.ok()) return delivery.status();
  plan.delivery = *std::move(delivery);
  if (open.has_cursor()) plan.start = CursorFromProto(open.cursor());
  return plan;
}

v1::StreamBatchesRequest PlanToProto(const Plan& plan, uint32_t credits,
                                     uint32_t max_message_bytes) {
  v1::StreamBatchesRequest message;
  message.set_dataset(plan.dataset);
  message.set_credits(credits);
  v1::StreamBatchesRequest::Open* open = message.mutable_open();
  *open->mutable_view() = ViewToProto(plan.view);
  *open->mutable_order() = OrderToProto(plan.order);
  *open->mutable_delivery() = DeliveryToProto(plan.delivery, max_message_bytes);
  if (plan.start.has_value()) {
    CursorToProto(*plan.start, open->mutable_cursor());
  }
  open->set_fingerprint(plan.fingerprint);
  return message;
}

}  // namespace inkstream::wire

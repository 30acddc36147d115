#include "server/transport/grpc/plan_from_proto.h"

#include <utility>

#include "server/transport/grpc/delivery_from_proto.h"
#include "server/transport/grpc/order_from_proto.h"
#include "server/transport/grpc/refused_field.h"

namespace inkstream::transport {

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

absl::StatusOr<batch::FetchPlan> FetchPlanFromProto(
    const v1::FetchDrawingsRequest& request) {
  batch::FetchPlan plan;
  plan.dataset = request.dataset();
  plan.fingerprint = request.fingerprint();
  absl::StatusOr<View> view = ViewFromProto(request.view());
  if (!view.ok()) return view.status();
  plan.view = *std::move(view);
  plan.indices.assign(request.index().begin(), request.index().end());
  plan.ranks.assign(request.rank().begin(), request.rank().end());
  plan.key_ids.assign(request.key_id().begin(), request.key_id().end());
  plan.seed = request.order().seed();
  plan.epoch = request.epoch();
  plan.first_view = request.augment_view();
  if (request.delivery().codec() != v1::CODEC_NONE) {
    return NotOffered("delivery.codec", "CODEC_NONE (of FetchDrawings)");
  }
  absl::Status status = TensorsFromProto(request.delivery(), &plan.delivery);
  if (!status.ok()) return status;
  return plan;
}

}  // namespace inkstream::transport

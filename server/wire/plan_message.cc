#include <utility>

#include "absl/strings/str_cat.h"
#include "server/wire/messages.h"

namespace inkstream::wire {
namespace {

absl::StatusOr<Sampling> SamplingFromProto(const v1::Order::Sampling& proto) {
  Sampling sampling;
  switch (proto.kind_case()) {
    case v1::Order::Sampling::kBalanced:
      sampling.kind = SamplingKind::kBalanced;
      sampling.alpha = proto.balanced().alpha();
      break;
    case v1::Order::Sampling::kWeights:
      sampling.kind = SamplingKind::kWeights;
      sampling.weights.assign(proto.weights().weights().begin(),
                              proto.weights().weights().end());
      break;
    case v1::Order::Sampling::kMix:
      sampling.kind = SamplingKind::kMix;
      sampling.weights.assign(proto.mix().weights().begin(),
                              proto.mix().weights().end());
      for (const v1::View& view : proto.mix().views()) {
        absl::StatusOr<View> part = ViewFromProto(view);
        if (!part.ok()) return part.status();
        sampling.views.push_back(*std::move(part));
      }
      break;
    case v1::Order::Sampling::kDrawings:
      sampling.kind = SamplingKind::kDrawings;
      sampling.drawings = proto.drawings().weights();
      break;
    case v1::Order::Sampling::KIND_NOT_SET:
      break;
  }
  return sampling;
}

}  // namespace

Cursor CursorFromProto(const v1::Cursor& proto) {
  Cursor cursor;
  cursor.version = proto.version();
  cursor.fingerprint = proto.fingerprint();
  cursor.plan_hash = proto.plan_hash();
  cursor.order_plan = proto.order_plan();
  cursor.seed = proto.seed();
  cursor.epoch = proto.epoch();
  cursor.position = proto.position();
  return cursor;
}

void CursorToProto(const Cursor& cursor, v1::Cursor* proto) {
  proto->set_version(cursor.version);
  proto->set_fingerprint(cursor.fingerprint);
  proto->set_plan_hash(cursor.plan_hash);
  proto->set_order_plan(cursor.order_plan);
  proto->set_seed(cursor.seed);
  proto->set_epoch(cursor.epoch);
  proto->set_position(cursor.position);
}

absl::StatusOr<View> ViewFromProto(const v1::View& view) {
  absl::Status known = CheckKnown("view", view);
  if (!known.ok()) return known;
  View plain;
  plain.split = view.split();
  plain.classes.assign(view.classes().begin(), view.classes().end());
  for (int i = 0; i < view.where_size(); ++i) {
    const v1::Where& term = view.where(i);
    plain.where.push_back({term.column(),
                           static_cast<WhereOp>(term.op()),
                           {term.values().begin(), term.values().end()}});
  }
  plain.max_per_class = view.max_per_class();
  if (view.fraction() != 0) plain.fraction = view.fraction();
  plain.include_keys = view.include_keys();
  plain.exclude_keys = view.exclude_keys();
  if (view.has_fold()) {
    plain.fold =
        Fold{view.fold().index(), view.fold().count(), view.fold().held_out()};
  }
  return plain;
}

v1::View ViewToProto(const View& view) {
  v1::View message;
  message.set_split(view.split);
  message.mutable_classes()->Assign(view.classes.begin(), view.classes.end());
  for (const WhereTerm& term : view.where) {
    v1::Where* const where = message.add_where();
    where->set_column(term.column);
    where->set_op(static_cast<v1::Where::Op>(term.op));
    where->mutable_values()->Assign(term.values.begin(), term.values.end());
  }
  message.set_max_per_class(view.max_per_class);
  if (view.fraction != 1) message.set_fraction(view.fraction);
  message.set_include_keys(view.include_keys);
  message.set_exclude_keys(view.exclude_keys);
  if (view.fold.has_value()) {
    v1::View::Fold* const fold = message.mutable_fold();
    fold->set_index(view.fold->index);
    fold->set_count(view.fold->count);
    fold->set_held_out(view.fold->held_out);
  }
  return message;
}

absl::StatusOr<OrderSpec> OrderFromProto(const v1::Order& order) {
  absl::Status known = CheckKnown("order", order);
  if (!known.ok()) return known;
  OrderSpec spec;
  spec.seed = order.seed();
  spec.shuffle = static_cast<ShuffleKind>(order.shuffle());
  spec.shuffle_window = order.window();
  absl::StatusOr<Sampling> sampling = SamplingFromProto(order.sampling());
  if (!sampling.ok()) return sampling.status();
  spec.sampling = *std::move(sampling);
  return spec;
}

v1::Order OrderToProto(const OrderSpec& order) {
  v1::Order message;
  message.set_seed(order.seed);
  message.set_shuffle(static_cast<v1::Order::Shuffle>(order.shuffle));
  message.set_window(order.shuffle_window);
  const Sampling& sampling = order.sampling;
  v1::Order::Sampling* const to = message.mutable_sampling();
  switch (sampling.kind) {
    case SamplingKind::kUniform:
      message.clear_sampling();
      break;
    case SamplingKind::kBalanced:
      to->mutable_balanced()->set_alpha(sampling.alpha);
      break;
    case SamplingKind::kWeights:
      to->mutable_weights()->mutable_weights()->Assign(sampling.weights.begin(),
                                                       sampling.weights.end());
      break;
    case SamplingKind::kMix:
      to->mutable_mix()->mutable_weights()->Assign(sampling.weights.begin(),
                                                   sampling.weights.end());
      for (const View& view : sampling.views) {
        *to->mutable_mix()->add_views() = ViewToProto(view);
      }
      break;
    case SamplingKind::kDrawings:
      to->mutable_drawings()->set_weights(sampling.drawings);
      break;
  }
  return message;
}

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

#include "server/transport/grpc/order_from_proto.h"

#include "absl/strings/str_cat.h"
#include "server/transport/grpc/refused_field.h"

namespace inkstream::transport {

absl::StatusOr<View> ViewFromProto(const v1::View& view) {
  View plain;
  plain.split = view.split();
  plain.classes.assign(view.classes().begin(), view.classes().end());
  for (int i = 0; i < view.where_size(); ++i) {
    const v1::Where& term = view.where(i);
    if (!v1::Where::Op_IsValid(term.op())) {
      return UnknownEnum(absl::StrCat("view.where[", i, "].op"), term.op());
    }
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

static absl::StatusOr<Sampling> SamplingFromProto(
    const v1::Order::Sampling& proto) {
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
    case v1::Order::Sampling::KIND_NOT_SET:
      break;
  }
  return sampling;
}

absl::StatusOr<OrderSpec> OrderFromProto(const v1::Order& order) {
  OrderSpec spec;
  spec.seed = order.seed();
  if (!v1::Order::Shuffle_IsValid(order.shuffle())) {
    return UnknownEnum("order.shuffle", order.shuffle());
  }
  spec.shuffle = static_cast<ShuffleKind>(order.shuffle());
  spec.shuffle_window = order.window();
  absl::StatusOr<Sampling> sampling = SamplingFromProto(order.sampling());
  if (!sampling.ok()) return sampling.status();
  spec.sampling = *std::move(sampling);
  return spec;
}

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

}  // namespace inkstream::transport

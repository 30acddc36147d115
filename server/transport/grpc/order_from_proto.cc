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
    plain.where.push_back({term.column(), static_cast<WhereOp>(term.op()),
                           {term.values().begin(), term.values().end()}});
  }
  plain.max_per_class = view.max_per_class();
  if (view.fraction() != 0) plain.fraction = view.fraction();
  plain.include_keys = view.include_keys();
  plain.exclude_keys = view.exclude_keys();
  if (view.has_fold()) {
    plain.fold = Fold{view.fold().index(), view.fold().count(),
                      view.fold().held_out()};
  }
  return plain;
}

absl::StatusOr<OrderSpec> OrderFromProto(const v1::Order& order) {
  OrderSpec spec;
  spec.seed = order.seed();
  if (!v1::Order::Shuffle_IsValid(order.shuffle())) {
    return UnknownEnum("order.shuffle", order.shuffle());
  }
  spec.shuffle = static_cast<ShuffleKind>(order.shuffle());
  spec.shuffle_window = order.window();
  if (order.has_sampling() &&
      order.sampling().kind_case() != v1::Order::Sampling::KIND_NOT_SET) {
    return NotOffered("order.sampling", "uniform (leave it out)");
  }
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

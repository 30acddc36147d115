#include "server/transport/grpc/order_from_proto.h"

#include "server/transport/grpc/refused_field.h"

namespace inkstream::transport {

absl::StatusOr<View> ViewFromProto(const v1::View& view) {
  constexpr char kOffered[] = "split, classes";
  if (view.where_size() > 0) return NotOffered("view.where", kOffered);
  if (view.max_per_class() > 0) {
    return NotOffered("view.max_per_class", kOffered);
  }
  if (view.fraction() != 0 && view.fraction() != 1) {
    return NotOffered("view.fraction", kOffered);
  }
  if (!view.include_keys().empty()) {
    return NotOffered("view.include_keys", kOffered);
  }
  if (!view.exclude_keys().empty()) {
    return NotOffered("view.exclude_keys", kOffered);
  }
  if (view.has_fold()) return NotOffered("view.fold", kOffered);
  View plain;
  plain.split = view.split();
  plain.classes.assign(view.classes().begin(), view.classes().end());
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

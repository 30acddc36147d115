#include "server/wire/messages.h"

namespace inkstream::wire {

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

}  // namespace inkstream::wire

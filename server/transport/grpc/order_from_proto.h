// Views, orders and cursors: messages <-> plain values. Fields that this server
// does not offer are refused by name; everything else is for the engine to
// check.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT.
#pragma once

#include <inkstream/v1/plan.pb.h>

#include "absl/status/statusor.h"
#include "inkstream/cursor.h"
#include "inkstream/plan.h"

namespace inkstream::transport {

absl::StatusOr<View> ViewFromProto(const v1::View& view);

absl::StatusOr<OrderSpec> OrderFromProto(const v1::Order& order);

Cursor CursorFromProto(const v1::Cursor& proto);

void CursorToProto(const Cursor& cursor, v1::Cursor* proto);

}  // namespace inkstream::transport

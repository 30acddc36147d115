// Orders: message <-> value.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT.
#pragma once

#include <inkstream/v1/plan.pb.h>

#include "absl/status/statusor.h"
#include "inkstream/order_spec.h"

namespace inkstream::wire {

absl::StatusOr<OrderSpec> OrderFromProto(const v1::Order& order);

v1::Order OrderToProto(const OrderSpec& order);

}  // namespace inkstream::wire

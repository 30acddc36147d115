// Views: message <-> value.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT.
#pragma once

#include <inkstream/v1/plan.pb.h>

#include "absl/status/statusor.h"
#include "inkstream/view.h"

namespace inkstream::wire {

absl::StatusOr<View> ViewFromProto(const v1::View& view);

v1::View ViewToProto(const View& view);

}  // namespace inkstream::wire

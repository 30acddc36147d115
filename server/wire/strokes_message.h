// Stroke tensors: message <-> value.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT.
#pragma once

#include <inkstream/v1/plan.pb.h>

#include "absl/status/statusor.h"
#include "inkstream/strokes_spec.h"

namespace inkstream::wire {

absl::StatusOr<StrokesSpec> StrokesFromProto(const v1::Strokes& strokes);

v1::Strokes StrokesToProto(const StrokesSpec& spec);

}  // namespace inkstream::wire

// Pixels: message <-> value.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT.
#pragma once

#include <inkstream/v1/plan.pb.h>

#include "absl/status/statusor.h"
#include "inkstream/image_spec.h"

namespace inkstream::wire {

absl::StatusOr<ImageSpec> ImageFromProto(const v1::Image& image);

v1::Image ImageToProto(const ImageSpec& spec);

}  // namespace inkstream::wire

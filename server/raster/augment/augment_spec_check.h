// Which augmentations are offered.
//
// Thread safety: pure function.
#pragma once

#include "absl/status/status.h"
#include "inkstream/augment_spec.h"

namespace inkstream::raster {

// INVALID_ARGUMENT names the field, the value and the limit.
absl::Status CheckAugmentSpec(const AugmentSpec& spec);

}  // namespace inkstream::raster

// Augmentation: message <-> value.
//
// Thread safety: pure functions.
#pragma once

#include <inkstream/v1/plan.pb.h>

#include "inkstream/augment_spec.h"

namespace inkstream::wire {

AugmentSpec AugmentFromProto(const v1::Augment& augment);

v1::Augment AugmentToProto(const AugmentSpec& spec);

}  // namespace inkstream::wire

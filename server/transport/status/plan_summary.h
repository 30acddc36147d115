// What a stream is asked to deliver, in a line for people.
//
// Thread safety: pure function.
#pragma once

#include <string>

#include "inkstream/cursor.h"
#include "inkstream/plan.h"

namespace inkstream::transport {

// "batch 256, image 128x128, rank 0 of 2, seed 7, from epoch 1 position 512".
std::string PlanSummary(const Cursor& start, const DeliverySpec& delivery);

}  // namespace inkstream::transport

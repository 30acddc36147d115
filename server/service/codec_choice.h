// Whether batches travel as rows, which the client draws.
//
// Thread safety: a pure function.
#pragma once

#include <cstdint>
#include <string>

#include "inkstream/plan.h"

namespace inkstream::service {

// Why the server draws though the client would; empty: it does not.
// `raster_version`: of the client; 0: it did not say.
std::string WhyNotStrokes(const DeliverySpec& delivery,
                          uint32_t raster_version);

}  // namespace inkstream::service

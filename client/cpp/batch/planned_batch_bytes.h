// What a batch may take, before anything is allocated for one.
//
// Thread safety: a pure function.
#pragma once

#include <cstdint>

#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

// The most that a batch of this stream can take by what was asked for, or
// `limit` where that is less or unknown.
uint64_t PlannedBatchBytes(const v1::StreamBatchesRequest& opening,
                           uint64_t limit);

}  // namespace inkstream::client

// Stall attribution: who waits for whom, in one sentence.
//
// Thread safety: pure function.
#pragma once

#include <string>

#include "server/transport/stream_session.h"

namespace inkstream::transport {

std::string BottleneckOf(const StreamReport& report);

}  // namespace inkstream::transport

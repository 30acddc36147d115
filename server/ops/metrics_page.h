// What a server does, in Prometheus' text form: docs in README.md.
//
// Thread safety: pure function.
#pragma once

#include <string>

#include "server/transport/server_snapshot.h"

namespace inkstream::ops {

// Counters begin anew with the process; those of a stream end with it.
std::string MetricsPage(const transport::ServerSnapshot& snapshot);

}  // namespace inkstream::ops

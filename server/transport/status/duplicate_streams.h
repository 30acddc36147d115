// Finds streams that deliver the same drawings to two readers: mostly a job
// whose ranks were all given the same number.
//
// Thread safety: pure function.
#pragma once

#include <string>
#include <vector>

#include "server/transport/stream_session.h"

namespace inkstream::transport {

// A sentence for each report, "" where it is the only one with its dataset,
// content, order plan, epoch, rank, world and stride. Other seeds are other
// order plans.
std::vector<std::string> DuplicateWarnings(
    const std::vector<StreamReport>& reports);

}  // namespace inkstream::transport

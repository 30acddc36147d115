// Descriptors of this process, of which each connection takes one.
//
// Thread safety: call before threads start.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "server/transport/listener/connection_table.h"

namespace inkstream::app {

// Raises the soft limit to the hard one, and answers it. FAILED_PRECONDITION:
// it stays below what a server needs.
absl::StatusOr<uint64_t> RaiseDescriptorLimit();

// What there is for connections.
struct ForConnections {
  uint64_t descriptors = 0;  // of which half are for them
  uint64_t bytes = 0;
  bool encrypted = false;
};

// How many connections there may be: what was asked for, or the default as far
// as descriptors and bytes reach. A peer may have half, if nothing else was
// asked for. INVALID_ARGUMENT: more than there are descriptors for.
absl::StatusOr<transport::ConnectionLimits> LimitsOfConnections(
    const ForConnections& there_are, std::optional<uint32_t> all,
    std::optional<uint32_t> of_a_peer);

}  // namespace inkstream::app

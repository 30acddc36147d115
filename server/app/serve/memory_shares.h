// What --memory is divided into.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "server/app/serve/server_lifecycle.h"

namespace inkstream::app {

// Bytes.
struct MemoryShares {
  uint64_t all = 0;
  uint64_t batches = 0;   // on their way to clients
  uint64_t views = 0;     // and key sets
  uint64_t requests = 0;  // that wait to be read
  uint64_t calls = 0;     // gRPC's own, of each call
  uint64_t connections = 0;
  uint64_t page = 0;  // pixels it draws; as much for its answers; 0: none
};

// INVALID_ARGUMENT: too little, or more than this process may use.
absl::StatusOr<MemoryShares> MemorySharesOf(const ServeOptions& options);

}  // namespace inkstream::app

// What a server does at one moment, free of any protocol: GetStatus words it,
// and whatever exports figures may.
//
// Thread safety: plain values; the function may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "server/batch/engine.h"
#include "server/transport/stream_registry.h"
#include "server/transport/stream_session.h"

namespace inkstream::transport {

// Bytes of batches that travel in messages.
struct BatchMemory {
  uint64_t budget = 0;
  uint64_t used = 0;
};

struct StreamSnapshot {
  StreamReport report;
  std::string bottleneck;  // who waits for whom, one sentence
  std::string warning;     // "": nothing odd
};

struct ServerSnapshot {
  double uptime_seconds = 0;
  double cpu_seconds = 0;  // of the whole process
  uint32_t workers = 0;
  uint32_t open_streams = 0;  // in the engine; those that open are not in it
  bool draining = false;      // from the signal on
  BatchMemory memory;
  SentTotals sent;                      // also of streams that are gone
  std::vector<StreamSnapshot> streams;  // by id
};

ServerSnapshot TakeSnapshot(const batch::Engine& engine,
                            const BatchMemory& memory,
                            const StreamRegistry& streams,
                            std::chrono::steady_clock::time_point started);

}  // namespace inkstream::transport

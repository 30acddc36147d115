// What every handler of one server shares.
//
// Thread safety: plain references to objects that are safe from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "server/batch/engine.h"
#include "server/batch/memory_arbiter.h"
#include "server/transport/calls_in_flight.h"
#include "server/transport/grpc/watched_calls.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/shm/shm_host.h"
#include "server/transport/stream_registry.h"

namespace inkstream::transport {

struct ServerContext {
  batch::Engine* engine = nullptr;
  std::shared_ptr<batch::MemoryArbiter> memory;  // of batches in messages
  StreamRegistry* streams = nullptr;
  std::shared_ptr<CallsInFlight> calls;  // all but streams
  ConnectionTable* connections = nullptr;
  WatchedCalls* watched = nullptr;
  ShmHost* shm = nullptr;  // null: no shared memory
  std::string version;
  uint64_t memory_bytes = 0;  // what --memory came to
  uint32_t max_streams_per_connection = 0;
  uint32_t max_request_bytes = 0;
  std::chrono::steady_clock::time_point started =
      std::chrono::steady_clock::now();
};

}  // namespace inkstream::transport

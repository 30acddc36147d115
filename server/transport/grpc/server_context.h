// What every handler of one server shares.
//
// Thread safety: plain references to objects that are safe from any thread.
#pragma once

#include <chrono>
#include <memory>

#include "server/batch/engine.h"
#include "server/batch/work/memory_arbiter.h"
#include "server/service/service.h"
#include "server/transport/grpc/calls/answer_bytes.h"
#include "server/transport/grpc/calls/authenticator.h"
#include "server/transport/grpc/calls/open_calls.h"
#include "server/transport/read_permits.h"
#include "server/transport/status/calls_in_flight.h"
#include "server/transport/status/stream_registry.h"

namespace inkstream::transport {

struct ServerContext {
  service::Service service;
  batch::Engine* engine = nullptr;               // service's
  std::shared_ptr<batch::MemoryArbiter> memory;  // of batches in messages
  StreamRegistry* streams = nullptr;
  std::shared_ptr<CallsInFlight> calls;  // all but streams
  const Authenticator* authenticator = nullptr;
  OpenCalls* open_calls = nullptr;
  ReadPermits* reads = nullptr;  // of requests
  AnswerBytes* answers = nullptr;
  std::chrono::steady_clock::time_point started =
      std::chrono::steady_clock::now();
};

}  // namespace inkstream::transport

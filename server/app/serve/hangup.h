// SIGHUP: a request for what can be had without a restart. New generations of
// the stores, certificates and tokens; and of the configuration what a running
// server can take, all of it or nothing.
//
// Thread safety: call from the main thread.
#pragma once

#include <cstdint>

#include "server/app/serve/descriptor_limit.h"
#include "server/app/serve/end_guard.h"
#include "server/app/serve/generation_watch.h"
#include "server/app/serve/server_lifecycle.h"
#include "server/app/serve/service_state.h"
#include "server/batch/engine.h"
#include "server/transport/grpc/grpc_server.h"
#include "server/transport/security/security_files.h"

namespace inkstream::app {

// What a request reaches; all of it outlives the call.
struct RunningParts {
  GenerationWatch* watch;
  transport::SecurityFiles* security;
  batch::Engine* engine;
  transport::GrpcServer* server;
  EndGuard* guard;
  ServiceState* state;
  ForConnections for_connections;
};

// Until SIGINT or SIGTERM. `options`: those in use, which become others.
void ServeUntilSignalled(const RunningParts& parts, const ReadAgain& read_again,
                         ServeOptions* options);

// Has `guard` expect an end in the times of `options`.
void ExpectEnd(const ServeOptions& options, EndGuard* guard);

}  // namespace inkstream::app

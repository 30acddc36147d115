// Tells of every call, whatever its method: the connection table, where a
// connection with a call is not displaced for a newcomer, and those who count
// calls, where there may be too many.
//
// Thread safety: safe from any thread.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <memory>
#include <string>

#include "server/transport/call_observer.h"
#include "server/transport/grpc/authenticator.h"
#include "server/transport/grpc/open_calls.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/status/service_counts.h"

namespace inkstream::transport {

// What is told of calls; all of it outlives every call.
struct CallCounters {
  ConnectionTable* connections = nullptr;
  OpenCalls* calls = nullptr;
  // Of those that are too many.
  Authenticator* authenticator = nullptr;
  ServiceCounts* counts = nullptr;
  CallObserver* observer = nullptr;  // may be null
};

// Made for a server by its builder.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
CountCallsIn(const CallCounters& counters);

// The name that ConnectionTable::HandOver() was told, from what gRPC calls the
// peer of a call.
std::string ConnectionName(const std::string& grpc_peer);

}  // namespace inkstream::transport

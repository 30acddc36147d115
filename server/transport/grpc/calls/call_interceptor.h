// What happens to every call, whatever its method and whoever answers it: its
// connection has a call, and is not displaced for a newcomer; without a right
// token, where there are tokens, it is refused before any handler is asked; it
// is refused where there are too many; and how it was answered is noted.
//
// Thread safety: safe from any thread.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <memory>

#include "server/transport/call_observer.h"
#include "server/transport/grpc/calls/authenticator.h"
#include "server/transport/grpc/calls/open_calls.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/status/service_counts.h"

namespace inkstream::transport {

// What is asked and told of calls; all of it outlives every call.
struct CallParties {
  ConnectionTable* connections = nullptr;
  OpenCalls* calls = nullptr;
  Authenticator* authenticator = nullptr;
  ServiceCounts* counts = nullptr;
  CallObserver* observer = nullptr;  // may be null
};

// Made for a server by its builder.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
InterceptCalls(const CallParties& parties);

}  // namespace inkstream::transport

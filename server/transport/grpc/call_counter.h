// Tells the connection table of every call, whatever its method: a connection
// with a call is not displaced for a newcomer.
//
// Thread safety: safe from any thread.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <memory>
#include <string>

#include "server/transport/listener/connection_table.h"

namespace inkstream::transport {

// Made for a server by its builder. `table` outlives every call.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
CountCallsIn(ConnectionTable* table);

// The name that ConnectionTable::HandOver() was told, from what gRPC calls the
// peer of a call.
std::string ConnectionName(const std::string& grpc_peer);

}  // namespace inkstream::transport

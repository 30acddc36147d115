// Tells of every call, whatever its method: the connection table, where a
// connection with a call is not displaced for a newcomer, and those who count
// calls, where there may be too many.
//
// Thread safety: safe from any thread.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <memory>
#include <string>

#include "server/transport/grpc/open_calls.h"
#include "server/transport/listener/connection_table.h"

namespace inkstream::transport {

// Made for a server by its builder. Both outlive every call.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
CountCallsIn(ConnectionTable* table, OpenCalls* calls);

// The name that ConnectionTable::HandOver() was told, from what gRPC calls the
// peer of a call.
std::string ConnectionName(const std::string& grpc_peer);

}  // namespace inkstream::transport

#include "server/transport/grpc/caller.h"

#include <grpcpp/server_context.h>

#include "server/transport/grpc/call_counter.h"

namespace inkstream::transport {

Peer PeerOf(const ConnectionTable& connections,
            const grpc::CallbackServerContext& call) {
  return connections.PeerOf(ConnectionName(call.peer()));
}

}  // namespace inkstream::transport

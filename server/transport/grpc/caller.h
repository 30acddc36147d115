// On whose behalf a call is made: what the workers' turns are shared by.
//
// Thread safety: safe from any thread.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/transport/listener/connection_table.h"

namespace inkstream::transport {

// Only what the server knows by itself counts: the host of a connection, and
// the user of one over the Unix socket; never what a client says of itself. A
// name that is proven, by a certificate or a token, belongs in `caller` here.
Peer PeerOf(const ConnectionTable& connections,
            const grpc::CallbackServerContext& call);

}  // namespace inkstream::transport

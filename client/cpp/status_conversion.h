// gRPC's status into absl's and back out of its details: the one converter of
// the client.
//
// Thread safety: pure functions.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace inkstream::client {

// Same code, same message. Each detail of the google.rpc.Status that travels
// along becomes a payload under its type URL; details that do not parse are
// left out, since they only refine the code.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace inkstream::client

// gRPC's status into absl's and back out of its details: the one converter of
// the client.
//
// Thread safety: pure functions.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace inkstream::client {

// Same code, same message. Each detail of the google.rpc.Status that travels
// along becomes a payload under its type URL; details that do not parse are
// left out, since they only refine the code.
absl::Status FromGrpc(const grpc::Status& status);

// How gRPC reports a connection that breaks in the middle of a stream, beside
// UNAVAILABLE.
bool IsBrokenLink(const absl::Status& status);

// UNAVAILABLE with the reason of a server that holds other data.
absl::Status NotHere(absl::string_view message);

}  // namespace inkstream::client

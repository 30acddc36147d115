// absl::Status -> grpc::Status, at the edge.
//
// The reason and the retry delay travel as google.rpc.ErrorInfo (domain
// "inkstream") and google.rpc.RetryInfo in grpc-status-details-bin.
//
// Thread safety: pure function.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"

namespace inkstream::transport {

grpc::Status ToGrpcStatus(const absl::Status& status);

// The reason in a status that ToGrpcStatus made; "": none.
std::string ReasonOf(const grpc::Status& status);

}  // namespace inkstream::transport

// Messages of raw methods, which gRPC hands over and takes as bytes.
//
// Thread safety: pure functions.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"

namespace inkstream::transport {

// INVALID_ARGUMENT: `bytes` is not a message of this type.
absl::Status ParseMessage(const grpc::ByteBuffer& bytes,
                          google::protobuf::MessageLite* message);

grpc::ByteBuffer SerializeMessage(const google::protobuf::MessageLite& message);

}  // namespace inkstream::transport

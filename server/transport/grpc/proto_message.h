// Messages of raw methods, which gRPC hands over unparsed.
//
// Thread safety: pure function.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"

namespace inkstream::transport {

// INVALID_ARGUMENT: `bytes` is not a message of this type. Empties `bytes`.
absl::Status ParseMessage(grpc::ByteBuffer* bytes,
                          google::protobuf::MessageLite* message);

}  // namespace inkstream::transport

// Calls whose messages are left unparsed.
//
// gRPC 1.51 generates stubs for parsed messages only; these make the
// same calls over grpc::ByteBuffer.
// Thread safety: pure functions.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/sync_stream.h>

#include <memory>

#include "absl/status/statusor.h"
#include "client/engine/part_view.h"
#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message);

// A BatchPart, of which `message` keeps the bytes. INTERNAL: it is none.
absl::StatusOr<engine::PartView> ReadPart(grpc::ByteBuffer* message);

// StreamBatches. `context` must outlive the stream.
std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>>
OpenRawStream(const std::shared_ptr<grpc::Channel>& channel,
              grpc::ClientContext* context);

// FetchDrawings, whose `context` must outlive the reader.
std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>> OpenRawFetch(
    const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext* context,
    const v1::FetchDrawingsRequest& request);

}  // namespace inkstream::client

// Calls whose messages are left unparsed.
//
// gRPC 1.51 generates stubs for parsed messages only; these make the
// same calls over grpc::ByteBuffer.
// Thread safety: pure functions.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/sync_stream.h>

#include <memory>

#include "absl/status/statusor.h"
#include "client/engine/part_view.h"

namespace inkstream::client {

grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message);

// A BatchPart, of which `message` keeps the bytes. INTERNAL: it is none.
absl::StatusOr<engine::PartView> ReadPart(grpc::ByteBuffer* message);

// StreamBatches. `context` must outlive the stream.
std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>>
OpenRawStream(const std::shared_ptr<grpc::Channel>& channel,
              grpc::ClientContext* context);

// FetchDrawings, begun: `queue` says with `tag` when it is on its way.
// `context` and `queue` must outlive the reader.
std::unique_ptr<grpc::ClientAsyncReader<grpc::ByteBuffer>> OpenRawFetch(
    const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext* context,
    const grpc::ByteBuffer& request, grpc::CompletionQueue* queue, void* tag);

}  // namespace inkstream::client

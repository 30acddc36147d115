#include "client/cpp/call/raw_call.h"

#include <grpcpp/impl/codegen/rpc_method.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <string>

namespace inkstream::client {
namespace {

constexpr char kStreamBatches[] = "/inkstream.v1.DrawingService/StreamBatches";
constexpr char kFetchDrawings[] = "/inkstream.v1.DrawingService/FetchDrawings";

}  // namespace

grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

absl::StatusOr<engine::PartView> ReadPart(grpc::ByteBuffer* message) {
  grpc::ProtoBufferReader in(message);
  return engine::ReadPart(&in, message->Length());
}

std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>>
OpenRawStream(const std::shared_ptr<grpc::Channel>& channel,
              grpc::ClientContext* context) {
  const grpc::internal::RpcMethod method(
      kStreamBatches, grpc::internal::RpcMethod::BIDI_STREAMING, channel);
  return std::unique_ptr<
      grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>>(
      grpc::internal::ClientReaderWriterFactory<
          grpc::ByteBuffer, grpc::ByteBuffer>::Create(channel.get(), method,
                                                      context));
}

std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>> OpenRawFetch(
    const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext* context,
    const v1::FetchDrawingsRequest& request) {
  const grpc::internal::RpcMethod method(
      kFetchDrawings, grpc::internal::RpcMethod::SERVER_STREAMING, channel);
  return std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>>(
      grpc::internal::ClientReaderFactory<grpc::ByteBuffer>::Create(
          channel.get(), method, context, Serialize(request)));
}

}  // namespace inkstream::client

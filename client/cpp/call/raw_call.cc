#include "client/cpp/call/raw_call.h"

#include <grpcpp/impl/codegen/rpc_method.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <exception>
#include <utility>

#include "client/cpp/messages/status_conversion.h"

namespace inkstream::client {
namespace {

constexpr char kStreamBatches[] = "/inkstream.v1.DrawingService/StreamBatches";
constexpr char kFetchDrawings[] = "/inkstream.v1.DrawingService/FetchDrawings";

grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

absl::StatusOr<engine::PartView> ReadPart(grpc::ByteBuffer* message) {
  grpc::ProtoBufferReader in(message);
  return engine::ReadPart(&in, message->Length());
}

RawCall::RawCall(std::shared_ptr<grpc::Channel> channel, const char* method,
                 std::chrono::system_clock::time_point deadline)
    : channel_(std::move(channel)) {
  context_.set_deadline(deadline);
  // Bulk bytes do not compress, and whether they should is the codec's choice.
  context_.set_compression_algorithm(GRPC_COMPRESS_NONE);
  // Sent with the first message: sending it here would block until the server
  // is connected, out of reach of Cancel().
  context_.set_initial_metadata_corked(true);
  const grpc::internal::RpcMethod raw(
      method, grpc::internal::RpcMethod::BIDI_STREAMING, channel_);
  stream_.reset(grpc::internal::ClientReaderWriterFactory<
                grpc::ByteBuffer, grpc::ByteBuffer>::Create(channel_.get(), raw,
                                                            &context_));
}

RawCall::RawCall(std::shared_ptr<grpc::Channel> channel)
    : RawCall(std::move(channel), kStreamBatches,
              std::chrono::system_clock::time_point::max()) {}

RawCall::RawCall(std::shared_ptr<grpc::Channel> channel,
                 const v1::FetchDrawingsRequest& request,
                 std::chrono::system_clock::time_point deadline)
    : RawCall(std::move(channel), kFetchDrawings, deadline) {
  // Where this fails, so does the first Read(), and its status says why.
  stream_->WriteLast(Serialize(request), grpc::WriteOptions());
}

bool RawCall::Write(const v1::StreamBatchesRequest& request) {
  const std::lock_guard<std::mutex> lock(write_mutex_);
  return !finished_ && stream_->Write(Serialize(request));
}

absl::Status RawCall::ReadAll(const OnPart& on_part) {
  absl::Status status;
  // Each is let go of before the next one comes, which then is received into
  // memory that is still in the caches.
  for (grpc::ByteBuffer message; stream_->Read(&message); message.Clear()) {
    // The call is over only once everything is read and its status taken.
    if (!status.ok()) continue;
    // Thrown further up, it would leave the call without its end.
    try {
      absl::StatusOr<engine::PartView> part = ReadPart(&message);
      status = on_part(&part);
    } catch (const std::exception& error) {
      status = absl::ResourceExhaustedError(error.what());
    }
    if (!status.ok()) Cancel();
  }
  const std::lock_guard<std::mutex> lock(write_mutex_);
  finished_ = true;
  absl::Status told = FromGrpc(stream_->Finish());
  return status.ok() ? told : status;
}

}  // namespace inkstream::client

#include "client/cpp/call/stream_call.h"

#include <utility>

#include "client/cpp/call/raw_call.h"
#include "client/cpp/messages/status_conversion.h"

namespace inkstream::client {

StreamCall::StreamCall(std::shared_ptr<grpc::Channel> channel,
                       const CallMetadata& metadata)
    : channel_(std::move(channel)) {
  for (const auto& [key, value] : metadata) {
    context_.AddMetadata(key, value);
  }
  // Bulk bytes do not compress, and whether they should is the codec's choice.
  context_.set_compression_algorithm(GRPC_COMPRESS_NONE);
  // Sent with the first message: sending it here would block until the server
  // is connected, out of reach of Cancel().
  context_.set_initial_metadata_corked(true);
  stream_ = OpenRawStream(channel_, &context_);
}

bool StreamCall::Read(grpc::ByteBuffer* message) {
  return stream_->Read(message);
}

bool StreamCall::Write(const v1::StreamBatchesRequest& request) {
  const std::lock_guard<std::mutex> lock(write_mutex_);
  if (finished_) return false;
  return stream_->Write(Serialize(request));
}

absl::Status StreamCall::Finish() {
  const std::lock_guard<std::mutex> lock(write_mutex_);
  finished_ = true;
  return FromGrpc(stream_->Finish());
}

}  // namespace inkstream::client

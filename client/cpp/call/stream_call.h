// One StreamBatches call: raw messages in, requests out.
//
// Thread safety: Read() and Finish() from one thread; Write() and Cancel()
// from any, also at the same time.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/sync_stream.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

// Keys and values that go with a call; keys in lower case.
using CallMetadata = std::vector<std::pair<std::string, std::string>>;

class StreamCall {
 public:
  explicit StreamCall(std::shared_ptr<grpc::Channel> channel,
                      const CallMetadata& metadata = {});
  StreamCall(const StreamCall&) = delete;
  StreamCall& operator=(const StreamCall&) = delete;

  // Blocks. false: nothing more will come, ask Finish().
  bool Read(grpc::ByteBuffer* message);

  // false: the call is over, and its status says why.
  bool Write(const v1::StreamBatchesRequest& request);

  // The call's status. REQUIRES: Read() answered false. Call once.
  absl::Status Finish();

  void Cancel() { context_.TryCancel(); }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::mutex write_mutex_;
  bool finished_ = false;  // guarded by it
  std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>>
      stream_;
};

}  // namespace inkstream::client

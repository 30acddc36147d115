// One call of StreamBatches or FetchDrawings, whose answers are left unparsed
// but for what stands before their bulk bytes.
//
// gRPC 1.51 generates stubs for parsed messages only; this makes the same calls
// over grpc::ByteBuffer. A request that no other may follow is a stream of one.
//
// Thread safety: ReadAll() from one thread; Write() and Cancel() from any, also
// at the same time.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/engine/part_view.h"
#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

// A BatchPart, of which `message` keeps the bytes. INTERNAL: it is none.
absl::StatusOr<engine::PartView> ReadPart(grpc::ByteBuffer* message);

class RawCall {
 public:
  using OnPart =
      std::function<absl::Status(absl::StatusOr<engine::PartView>* part)>;

  // StreamBatches, until it is cancelled.
  explicit RawCall(std::shared_ptr<grpc::Channel> channel);
  // FetchDrawings, which ends at `deadline` at the latest.
  RawCall(std::shared_ptr<grpc::Channel> channel,
          const v1::FetchDrawingsRequest& request,
          std::chrono::system_clock::time_point deadline);

  // false: the call is over, and its status says why.
  bool Write(const v1::StreamBatchesRequest& request);

  // Reads to the end, once. The call's status, or the first error of `on_part`,
  // which ends the call.
  absl::Status ReadAll(const OnPart& on_part);

  void Cancel() { context_.TryCancel(); }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  RawCall(std::shared_ptr<grpc::Channel> channel, const char* method,
          std::chrono::system_clock::time_point deadline);

  const std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::mutex write_mutex_;
  bool finished_ = false;  // guarded by it
  std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>>
      stream_;
};

}  // namespace inkstream::client

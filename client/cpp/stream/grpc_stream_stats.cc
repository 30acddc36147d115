// What a GrpcStream tells of itself.

#include <grpcpp/client_context.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "absl/strings/str_format.h"
#include "client/cpp/moment.h"
#include "client/cpp/stream/grpc_stream.h"
#include "inkstream/v1/service.grpc.pb.h"

namespace inkstream::client {
namespace {

constexpr std::chrono::seconds kAskFor{1};
constexpr double kTooEarly = 0.5;  // seconds
constexpr double kNothing = 0.1;   // of the time
constexpr double kMost = 0.5;      // of the time

std::string SentenceOf(const StreamStats& stats, const std::string& server) {
  if (stats.seconds < kTooEarly) {
    return "The stream is too young to say who waits for whom.";
  }
  const double share = std::min(1.0, stats.waited / stats.seconds);
  if (share < kNothing) {
    return absl::StrFormat(
        "The client is the bottleneck: batches were there, and the loop itself "
        "takes %.0f %% of the time.",
        100 * (1 - share));
  }
  if (share >= kMost && stats.waited_client > stats.waited_workers &&
      stats.waited_client > stats.waited_store &&
      stats.waited_client > stats.waited_network) {
    // All that was granted is on its way, which the server cannot see.
    return absl::StrFormat(
        "The network or the client's reader is the bottleneck: the loop waited "
        "%.0f %% of the time for what the server had sent.",
        100 * share);
  }
  if (!server.empty()) return server;
  return absl::StrFormat(
      "Server or network is the bottleneck: the loop waited %.0f %% of the "
      "time.",
      100 * share);
}

}  // namespace

StreamStats GrpcStream::stats() const {
  StreamStats stats;
  std::shared_ptr<RawCall> call;
  v1::GetStatusRequest request;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stats = counts_;
    stats.seconds = absl::ToDoubleSeconds(Moment::Now() - started_);
    if (open_ && !done_.has_value()) call = call_;
    request.set_stream_id(stream_id_);
  }
  stats.target = endpoints_->target();
  std::string server;
  if (call != nullptr && request.stream_id() != 0) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kAskFor);
    v1::GetStatusResponse response;
    // Without an answer the sentence is about this side alone.
    const bool answered = v1::DrawingService::NewStub(call->channel())
                              ->GetStatus(&context, request, &response)
                              .ok();
    if (answered && response.streams_size() == 1) {
      const v1::StreamStatus& stream = response.streams(0);
      stats.waited_client = stream.wait_client();
      stats.waited_workers = stream.wait_workers();
      stats.waited_store = stream.wait_store();
      stats.waited_network = stream.wait_network();
      server = stream.bottleneck();
      stats.server_cpu = response.cpu_seconds();
      stats.server_bytes = response.wire_bytes_sent();
    }
  }
  stats.bottleneck = SentenceOf(stats, server);
  return stats;
}

}  // namespace inkstream::client

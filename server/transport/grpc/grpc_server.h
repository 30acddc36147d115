// The gRPC front of one engine: listeners, services, and an orderly end.
//
// Thread safety: Start and Shutdown from one thread; the rest from any.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/socket_file.h"
#include "server/batch/engine.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/security/security_files.h"
#include "server/transport/status/server_snapshot.h"

namespace inkstream::transport {

struct GrpcServerOptions {
  std::vector<std::string> listen;  // HOST:PORT, port 0 allowed
  std::string unix_path;            // empty: no Unix socket
  SocketAccess unix_access;
  // What encrypts TCP and tells callers apart; outlives the server. Null: all
  // is plaintext, and everybody may call.
  SecurityFiles* security = nullptr;
  // Plaintext may leave the machine; never where there are tokens, which it
  // would show to everybody.
  bool insecure_network = false;
  uint32_t max_streams_per_connection = 100;
  uint32_t max_request_bytes = 1U << 20U;
  uint32_t max_calls = 1U << 16U;  // of all services and connections
  ConnectionLimits connections;
  // A connection that has not sent HTTP/2 settings by then is closed.
  std::chrono::milliseconds handshake = std::chrono::seconds(10);
  // One without a call for this long is ended; its client connects again when
  // it has one. gRPC's own clients leave after half an hour.
  std::chrono::milliseconds idle = std::chrono::hours(1);
  // gRPC's own view of connections and calls, for whoever asks.
  bool channelz = false;
  // A stream that could go on and does not for this long is ended.
  std::chrono::milliseconds stall = std::chrono::seconds(60);
  // After this long, give or take a tenth, a stream ends well and its client
  // opens another one over a new connection. Zero: never.
  std::chrono::milliseconds rebalance = std::chrono::minutes(30);
  uint64_t memory_bytes = 0;         // what DescribeDataset tells of --memory
  CallObserver* observer = nullptr;  // outlives the server; null: nobody
  std::string version;
};

// How a server leaves, from the moment on that it is to.
struct DrainTimes {
  // For batches and answers in hand, once streams are told to end.
  std::chrono::milliseconds grace{0};
  // Not ready, but serving as before: until whoever sends clients here knows.
  std::chrono::milliseconds delay{0};
  // Streams are told to end one by one over this long.
  std::chrono::milliseconds spread{0};

  std::chrono::milliseconds all() const { return grace + delay + spread; }
};

class GrpcServer {
 public:
  // `engine` must have all its datasets and outlive the server. Batches of all
  // streams take at most engine->options().batch_memory.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(
      batch::Engine* engine, const GrpcServerOptions& options);

  // What would refuse options.listen, before a socket is opened.
  static absl::Status CheckAddresses(const GrpcServerOptions& options);

  // Shuts down at once if that was not done.
  virtual ~GrpcServer() = default;

  // HOST:PORT as bound, one for each of options.listen.
  virtual const std::vector<std::string>& addresses() const = 0;

  // Whether a newcomer would be let in. False: only another process helps.
  virtual bool alive() const = 0;

  // What it does now, and has done.
  virtual ServiceFigures Figures() const = 0;

  // What GetStatus answers to whoever asks for every stream.
  virtual absl::Status GetStatus(v1::GetStatusResponse* response) const = 0;

  // What Health says of a dataset, from now on.
  virtual void SetServing(const std::string& dataset, bool serving) = 0;

  // From now on; streams that are open come back as they were told to, and
  // connections that are there stay; `stall` is of all.
  virtual void Adjust(const ConnectionLimits& connections,
                      std::chrono::milliseconds stall,
                      std::chrono::milliseconds rebalance) = 0;

  // Health says NOT_SERVING; after the delay every stream finishes the batch in
  // hand and ends with UNAVAILABLE, reason DRAIN; what is left after all times
  // together is cut off. No time is spent where there is no stream.
  virtual void Shutdown(const DrainTimes& times) = 0;
};

}  // namespace inkstream::transport

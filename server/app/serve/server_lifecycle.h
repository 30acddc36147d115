// A server from its options to its orderly end.
//
// Thread safety: call from the main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/socket_file.h"
#include "server/transport/security/security_files.h"

namespace inkstream::app {

struct ServeOptions {
  std::vector<std::string> stores;       // [NAME=]PATH
  std::vector<std::string> generations;  // NAME=FINGERPRINT
  std::vector<std::string> listen = {"127.0.0.1:50051"};
  std::string unix_path;  // empty: no Unix socket
  SocketAccess unix_access;
  std::string http;  // HOST:PORT; empty: no HTTP
  bool insecure_network = false;
  transport::SecurityPaths security;
  uint64_t memory = 0;  // bytes; 0: 90 % of what this process may use
  int workers = 0;      // threads; 0: by the CPU quota
  uint32_t max_streams = 1024;
  // None given: by the limit of open files.
  std::optional<uint32_t> max_connections;
  std::optional<uint32_t> max_connections_per_peer;
  std::chrono::milliseconds handshake = std::chrono::seconds(10);
  std::chrono::milliseconds idle = std::chrono::hours(1);
  bool channelz = false;
  std::chrono::milliseconds stall = std::chrono::seconds(60);
  // On SIGTERM, while there are streams and probes can be asked (`http`); see
  // transport::DrainTimes. SIGINT: somebody waits.
  std::chrono::milliseconds drain_delay = std::chrono::seconds(5);
  std::chrono::milliseconds drain_spread = std::chrono::seconds(5);
  std::chrono::milliseconds grace = std::chrono::seconds(20);
  std::chrono::milliseconds rebalance = std::chrono::minutes(30);  // 0: never
  uint32_t retain_generations = 2;
  std::chrono::milliseconds poll = std::chrono::seconds(1);  // for generations
  bool preload = false;
  uint64_t scrub =
      4U << 20U;  // bytes of stores checked again a second; 0: none
  std::string log_level = "info";
  std::string log_format = "text";
  std::string version;
};

// Serves until SIGINT or SIGTERM; then drains. Ends the process itself where a
// signal comes before it serves, or where an end in order takes too long.
// Writes the ready line to standard output, everything else to the log.
// `read_again`, on SIGHUP, gives options in which only what can change is
// another; null: they never are.
using ReadAgain = std::function<absl::StatusOr<ServeOptions>()>;
absl::Status ServeUntilInterrupted(ServeOptions options,
                                   const ReadAgain& read_again);

// What would refuse them, before a socket is opened: what is wrong is said in
// the same words.
absl::Status CheckServeOptions(const ServeOptions& options);

}  // namespace inkstream::app

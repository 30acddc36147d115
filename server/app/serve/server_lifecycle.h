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
#include "server/batch/engine_options.h"
#include "server/transport/grpc/grpc_server.h"
#include "server/transport/security/security_files.h"

namespace inkstream::app {

struct ServeOptions {
  std::vector<std::string> stores;                        // [NAME=]PATH
  std::vector<std::string> generations;                   // NAME=FINGERPRINT
  std::vector<std::string> listen = {"127.0.0.1:50051"};  // or "none"
  // As far as they were asked for; the rest follows from `listen`, `memory` and
  // the machine.
  transport::GrpcServerOptions grpc;
  batch::EngineOptions engine;
  std::string http;  // HOST:PORT; empty: no HTTP
  transport::SecurityPaths security;
  uint64_t memory = 0;  // bytes; 0: 90 % of what this process may use
  // None given: by the limit of open files.
  std::optional<uint32_t> max_connections;
  std::optional<uint32_t> max_connections_per_peer;
  // Delay and spread on SIGTERM only, while there are streams and probes can be
  // asked (`http`). SIGINT: somebody waits.
  transport::DrainTimes drain = {.grace = std::chrono::seconds(20),
                                 .delay = std::chrono::seconds(5),
                                 .spread = std::chrono::seconds(5)};
  std::chrono::milliseconds poll = std::chrono::seconds(1);  // for generations
  bool preload = false;
  uint64_t scrub =
      4U << 20U;  // bytes of stores checked again a second; 0: none
  std::string log_level = "info";
  std::string log_format = "text";
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
absl::Status CheckServeOptions(ServeOptions options);

}  // namespace inkstream::app

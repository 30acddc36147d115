#include "server/app/serve/hangup.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/app/interrupt.h"
#include "server/app/log/logging.h"
#include "server/app/serve/served_stores.h"

namespace inkstream::app {
namespace {

// When streams have ended and answers are given: connections, threads, maps.
constexpr std::chrono::milliseconds kLastSteps{2000};
// For a store whose file system does not answer.
constexpr std::chrono::milliseconds kLookPatience{1000};

// What may fail comes first.
absl::Status Take(const ServeOptions& options, const RunningParts& parts) {
  const absl::StatusOr<transport::ConnectionLimits> connections =
      LimitsOfConnections(parts.for_connections, options.max_connections,
                          options.max_connections_per_peer);
  if (!connections.ok()) return connections.status();
  const absl::Status used =
      parts.engine->UseGenerations(GenerationsOf(options));
  if (!used.ok()) {
    return absl::Status(used.code(),
                        absl::StrCat("--generation: ", used.message()));
  }
  parts.server->Adjust(*connections, options.grpc.stall,
                       options.grpc.rebalance);
  SetLogLevel(options.log_level);
  ExpectEnd(options, parts.guard);
  return absl::OkStatus();
}

void ReadConfigAgain(const RunningParts& parts, const ReadAgain& read_again,
                     ServeOptions* options) {
  const absl::StatusOr<ServeOptions> again = read_again();
  absl::Status status = again.status();
  if (status.ok()) status = Take(*again, parts);
  parts.state->ReadConfig(status.ok());
  if (!status.ok()) {
    spdlog::warn("the configuration stays as it was: {}",
                 std::string(status.message()));
    return;
  }
  *options = *again;
  spdlog::info("the configuration was read again, and is in use");
  for (const auto& [name, fingerprint] : GenerationsOf(*options)) {
    spdlog::info("dataset {}: streams that name no generation get {}", name,
                 fingerprint);
  }
}

}  // namespace

void ServeUntilSignalled(const RunningParts& parts, const ReadAgain& read_again,
                         ServeOptions* options) {
  while (Interrupt::WaitForHangup()) {
    spdlog::info(
        "SIGHUP: reads the configuration again, and looks at stores, "
        "certificates and tokens");
    parts.security->LookNow();
    // First: the configuration may name a generation that has just come.
    parts.watch->LookNow(kLookPatience);
    if (read_again != nullptr) ReadConfigAgain(parts, read_again, options);
  }
}

void ExpectEnd(const ServeOptions& options, EndGuard* guard) {
  guard->ExpectEndWithin(options.drain.all() + kLastSteps);
}

}  // namespace inkstream::app

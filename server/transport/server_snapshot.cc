#include "server/transport/server_snapshot.h"

#include <utility>

#include "server/batch/process_cpu.h"
#include "server/transport/bottleneck.h"
#include "server/transport/twin_streams.h"

namespace inkstream::transport {

ServerSnapshot TakeSnapshot(const batch::Engine& engine,
                            const BatchMemory& memory,
                            const StreamRegistry& streams,
                            std::chrono::steady_clock::time_point started) {
  ServerSnapshot snapshot;
  snapshot.uptime_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started)
          .count();
  snapshot.cpu_seconds = batch::ProcessCpuSeconds();
  snapshot.memory = memory;
  snapshot.workers = static_cast<uint32_t>(engine.workers());
  snapshot.open_streams = engine.open_streams();
  snapshot.draining = streams.leaving();
  snapshot.sent = streams.totals();
  std::vector<StreamReport> reports = streams.Reports();
  std::vector<std::string> warnings = TwinWarnings(reports);
  for (size_t i = 0; i < reports.size(); ++i) {
    std::string bottleneck = BottleneckOf(reports[i]);
    snapshot.streams.push_back(
        {std::move(reports[i]), std::move(bottleneck), std::move(warnings[i])});
  }
  return snapshot;
}

}  // namespace inkstream::transport

#include "server/transport/status/server_snapshot.h"

#include <ctime>
#include <utility>

#include "server/transport/status/bottleneck.h"
#include "server/transport/status/duplicate_streams.h"

namespace inkstream::transport {

ServerSnapshot TakeSnapshot(const batch::Engine& engine,
                            const BudgetUse& memory,
                            const StreamRegistry& streams,
                            std::chrono::steady_clock::time_point started) {
  ServerSnapshot snapshot;
  snapshot.uptime_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started)
          .count();
  snapshot.cpu_seconds = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  snapshot.memory = memory;
  snapshot.workers = static_cast<uint32_t>(engine.workers());
  snapshot.open_streams = engine.open_streams();
  snapshot.draining = streams.leaving();
  snapshot.sent = streams.counts().sent();
  std::vector<StreamReport> reports = streams.Reports();
  std::vector<std::string> warnings = DuplicateWarnings(reports);
  for (size_t i = 0; i < reports.size(); ++i) {
    std::string bottleneck = BottleneckOf(reports[i]);
    snapshot.streams.push_back(
        {std::move(reports[i]), std::move(bottleneck), std::move(warnings[i])});
  }
  return snapshot;
}

ServiceFigures TakeFigures(const batch::Engine& engine, ServerSnapshot now,
                           const StreamRegistry& streams) {
  ServiceFigures figures;
  figures.counts = streams.counts().values();
  figures.stream_seconds = streams.SecondsByDataset();
  const batch::CacheUse caches = engine.caches();
  figures.budgets = {{"batch", now.memory},
                     {"view", {caches.view_budget, caches.view_bytes}},
                     {"keys", {caches.key_budget, caches.key_bytes}}};
  figures.caches = {{"view", caches.views}, {"keys", caches.keys}};
  for (const batch::ServedStore& served : engine.stores()) {
    const store::StoreInfo& info = served.store->info();
    figures.stores.push_back({served.dataset, info.fingerprint, info.generation,
                              info.drawings, served.store->ResidentShare()});
  }
  figures.now = std::move(now);
  return figures;
}

}  // namespace inkstream::transport

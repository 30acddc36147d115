// What a server does at one moment, free of any protocol: GetStatus words it,
// and whatever exports figures may.
//
// Thread safety: plain values; the function may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "server/batch/engine.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/security/security_figures.h"
#include "server/transport/status/service_counts.h"
#include "server/transport/status/stream_registry.h"
#include "server/transport/stream_session.h"

namespace inkstream::transport {

// Bytes of some kind: how many there may be, and are.
struct BudgetUse {
  uint64_t budget = 0;
  uint64_t used = 0;
};

// The generation of a dataset that is in use.
struct StoreSnapshot {
  std::string dataset;
  std::string fingerprint;
  uint64_t generation = 0;
  uint64_t drawings = 0;
  double resident = 0;  // share of its bytes in memory, from a sample
};

struct StreamSnapshot {
  StreamReport report;
  std::string bottleneck;  // who waits for whom, one sentence
  std::string warning;     // "": nothing odd
};

struct ServerSnapshot {
  double uptime_seconds = 0;
  double cpu_seconds = 0;  // of the whole process
  uint32_t workers = 0;
  uint32_t open_streams = 0;     // in the engine; those that open are not in it
  bool draining = false;         // from the signal on
  BudgetUse memory;              // of batches that travel in messages
  ConnectionCounts connections;  // of gRPC
  SentTotals sent;               // also of streams that are gone
  std::vector<StreamSnapshot> streams;  // by id
};

// What only grows, and what takes longer to find out.
struct ServiceFigures {
  ServerSnapshot now;
  ServiceCounts::Values counts;
  std::map<std::string, StreamSeconds> stream_seconds;  // by dataset
  std::vector<StoreSnapshot> stores;
  std::map<std::string, BudgetUse> budgets;      // batch, view, keys
  std::map<std::string, batch::Lookups> caches;  // view, keys
  SecurityFigures security;
};

ServerSnapshot TakeSnapshot(const batch::Engine& engine,
                            const BudgetUse& memory,
                            const StreamRegistry& streams,
                            std::chrono::steady_clock::time_point started);

// The rest.
ServiceFigures TakeFigures(const batch::Engine& engine, ServerSnapshot now,
                           const StreamRegistry& streams);

}  // namespace inkstream::transport

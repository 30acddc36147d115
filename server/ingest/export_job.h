// Store -> simplified NDJSON: what went in, key order aside.
//
// Thread safety: one job on one thread; its threads end before it returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "server/ingest/byte_sink.h"
#include "server/ingest/byte_source.h"
#include "server/store/store_reader.h"

namespace inkstream::ingest {

struct ExportOptions {
  int threads = 1;
  InterruptCheck interrupted;
  std::function<void(uint64_t drawings)> progress;  // written so far
};

// Writes every drawing in index order; the caller closes the sink. DATA_LOSS:
// a record is damaged. CANCELLED: interrupted.
absl::Status RunExport(const store::StoreReader& store,
                       const ExportOptions& options, ByteSink* sink);

}  // namespace inkstream::ingest

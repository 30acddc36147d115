// What an ingest did, for a person and for a program.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/ingest/ingest_job.h"
#include "server/store/store_reader.h"

namespace inkstream::app {

struct IngestSummary {
  std::string store;   // path
  std::string errors;  // path of the errors file; empty: none was asked for
  std::vector<std::string> inputs;       // paths
  std::vector<std::string> passed_over;  // paths, as ingest::ListInputs
  double seconds = 0;
  // `kept` without those that were left out as repeated.
  ingest::IngestReport report;
  store::StoreInfo info;
  // Drawings of this ingest whose key_id came before: in the store, left out.
  uint64_t duplicates = 0;
  uint64_t dropped = 0;
};

// Bad drawings by kind, an example of each, and where more are to be had; ""
// without any.
std::string ErrorsText(const IngestSummary& summary);

// Some lines, the last of which says how to go on.
std::string SummaryText(const IngestSummary& summary);

// One JSON object and a line end.
std::string SummaryJson(const IngestSummary& summary);

}  // namespace inkstream::app

// What an ingest did, for a person and for a program.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "server/ingest/ingest_job.h"
#include "server/store/store_reader.h"

namespace inkstream::app {

struct IngestSummary {
  std::string store;   // path
  std::string errors;  // path of the errors file; empty: none was asked for
  double seconds = 0;
  ingest::IngestReport report;
  store::StoreInfo info;
};

// Some lines, the last of which says how to go on.
std::string SummaryText(const IngestSummary& summary);

// One JSON object and a line end.
std::string SummaryJson(const IngestSummary& summary);

}  // namespace inkstream::app

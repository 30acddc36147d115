// What a server does, in Prometheus' text form: names in README.md.
//
// Labels are closed sets, so the number of series has a bound: what belongs to
// one stream, one peer or one request is in GetStatus and in the log.
//
// Thread safety: pure function.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "server/ops/process_figures.h"
#include "server/transport/status/server_snapshot.h"

namespace inkstream::ops {

// What the watch of a dataset's path and the scrub of its store have found.
struct DatasetFigures {
  std::string name;
  bool successor_refused = false;  // what is at its path is not served
  bool intact = true;              // every file of its store can be read
  uint64_t scrub_passes = 0;
  uint64_t scrubbed_bytes = 0;
  uint64_t damaged_blocks = 0;  // that scrubbing found
};

struct MetricsInput {
  transport::ServiceFigures service;
  ProcessFigures process;
  std::vector<DatasetFigures> datasets;
  std::map<unsigned int, uint64_t> page_answers;  // by HTTP code
  transport::ReloadFigures config;
  bool ready = false;
  uint64_t lost_log_lines = 0;
  std::string version;
  std::string grpc_version;
};

// Counters begin anew with the process.
std::string MetricsPage(const MetricsInput& input);

}  // namespace inkstream::ops

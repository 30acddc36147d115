// Foreign files -> drawings -> store, in parallel and in input order.
//
// Thread safety: one job on one thread; it starts threads of its own and ends
// them before it returns.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/ingest/error_log.h"
#include "server/ingest/formats/drawing_format.h"
#include "server/ingest/input/input_format.h"
#include "server/ingest/input/input_list.h"
#include "server/ingest/max_errors.h"
#include "server/ingest/split_rules.h"
#include "server/store/store_writer.h"

namespace inkstream::ingest {

struct IngestReport : RecordCounts {
  uint64_t kept = 0;               // of those read; the others are bad
  std::vector<std::string> empty;  // inputs: files without a byte
  uint64_t bytes_read = 0;         // from the inputs, compressed where they are
  uint64_t bytes_total = 0;        // of the inputs; 0: not known
  std::string fingerprint;         // of the store; empty unless complete
  uint64_t taken_over = 0;  // drawings that an interrupted ingest had stored
};

struct IngestOptions {
  std::vector<InputFile> inputs;
  InputFormat format = InputFormat::kDetect;
  std::string word;  // of inputs whose records have none (.bin); empty: stem
  ParserOptions parser;
  MaxErrors max_errors;
  SplitRules splits;
  // Not empty: other words are errors. As store::ClassOfWord.
  std::set<std::string> classes;
  // A shard may have nothing to read.
  bool may_be_empty = false;
  int threads = 1;  // that read and parse
  InterruptCheck interrupted;
  // Called on the job's thread, some hundred times a second.
  std::function<void(const IngestReport&)> progress;
};

// Reads every input into `writer` and finishes it. The report is filled also
// when the job fails. Segments that are finished are kept for --resume; where
// there are none, or the input was refused, the writer is discarded.
// OUT_OF_RANGE: more bad records than max_errors. CANCELLED: interrupted.
// INVALID_ARGUMENT: no drawings at all.
absl::Status RunIngest(const IngestOptions& options, store::StoreWriter* writer,
                       IngestReport* report);

}  // namespace inkstream::ingest

// The flags of `inkstream ingest`, and what they ask of ingest and store.
//
// Thread safety: plain value; functions for one thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "server/ingest/ingest_job.h"
#include "server/store/format.h"
#include "server/store/store_writer.h"

namespace inkstream::app {

struct IngestFlags {
  std::vector<std::string> inputs;
  std::string store;
  std::string name = "quickdraw";
  std::string split;
  std::string keep = "simplified";
  std::string format;
  std::string word;
  std::string max_errors = "1%";
  std::string errors;
  int threads = 0;
  uint64_t segment_drawings = store::kUsualSegmentDrawings;
  std::string split_by;
  std::vector<std::string> split_lists;
  std::string classes_file;
  std::string duplicates = "keep";
  std::string shard;
  bool resume = false;
  bool append = false;
  bool json = false;

  // Their names, ranges and help. The command borrows them.
  void AddTo(CLI::App* command);
};

// Fills in all but threads and callbacks, and reads the files that flags name:
// lists, classes, inputs; `passed_over` as ingest::ListInputs. INVALID_ARGUMENT
// or NOT_FOUND, naming the flag or the file; an --errors file that cannot be
// written too.
absl::Status FillOptions(const IngestFlags& flags,
                         ingest::IngestOptions* options,
                         std::vector<std::string>* passed_over);

// Everything that decides what is stored, in the order it is compared.
std::vector<std::pair<std::string, std::string>> JobOptions(
    const IngestFlags& flags);

// Of --split; "": none. INVALID_ARGUMENT names the part that is wrong: a name
// or fraction that is missing, not in (0, 1], given twice, or a sum over 1.
absl::StatusOr<std::vector<store::SplitFraction>> ParseSplits(
    const std::string& text);

// `options` are filled in, threads too; `job` describes the ingest.
store::WriterOptions WriterOptionsOf(const IngestFlags& flags,
                                     const ingest::IngestOptions& options,
                                     std::vector<store::SplitFraction> splits,
                                     const std::string& job);

}  // namespace inkstream::app

// Synthetic drawings into files, in parallel; the same bytes for any number of
// threads.
//
// Thread safety: one job on one thread; its threads end before it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "server/ingest/export/export_job.h"

namespace inkstream::ingest {

struct GenerateOptions : ExportOptions {
  uint64_t drawings = 0;
  uint64_t seed = 0;
  size_t classes = 0;  // 1..ClassCatalog().size()
  // A file (.gz and .zst are compressed), "-", or a directory that exists or
  // ends in '/': then one WORD.ndjson a class, as the published files. The
  // binary format, whose words are its files' names, is always a directory.
  std::string output;
};

// Nothing is left behind on failure. CANCELLED: interrupted.
absl::Status RunGenerate(const GenerateOptions& options);

}  // namespace inkstream::ingest

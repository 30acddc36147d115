// Many files from a web server, several at a time.
//
// Thread safety: functions; the callbacks are called from the jobs' threads,
// one call at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/ingest/fetch/remote_file.h"

namespace inkstream::ingest {

struct FetchProgress {
  uint64_t files = 0;  // complete, or there already
  uint64_t bytes = 0;  // on disk, of bytes_in_all
  uint64_t bytes_in_all = 0;
};

struct FetchOptions {
  int jobs = 8;
  RetryRule retry;
  std::chrono::seconds stall{30};
  std::function<bool()> interrupted;
  std::function<void(const FetchProgress&)> progress;
};

struct FetchReport {
  uint64_t fetched = 0;  // files
  uint64_t kept = 0;     // files that were there already, with the same size
  uint64_t bytes = 0;    // that came over the network
  // Of files that could not be had, in the order given; the others are there.
  std::vector<absl::Status> failures;
};

// Asks for all sizes first, so that a wrong name and a full disk are known
// before anything is fetched: an error then. RESOURCE_EXHAUSTED names the bytes
// missing. CANCELLED: interrupted; a later call goes on.
absl::StatusOr<FetchReport> FetchFiles(std::vector<RemoteFile> files,
                                       const FetchOptions& options);

// A ready store: its MANIFEST and those of earlier generations that are there,
// its segments, everything verified, and only
// then renamed to `path`. It grows in PATH.fetch. ALREADY_EXISTS: something has
// that name. DATA_LOSS: what came is damaged; it is removed.
absl::StatusOr<FetchReport> FetchStore(const std::string& url,
                                       const std::string& path,
                                       const FetchOptions& options);

}  // namespace inkstream::ingest

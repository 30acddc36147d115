// The datasets of a server, by name, each with the generations that it serves.
//
// Thread safety: any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batch/dataset.h"
#include "server/batch/engine_options.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

class ServedDatasets {
 public:
  // `retain`: generations kept of a dataset, the newest included.
  explicit ServedDatasets(uint32_t retain) : retain_(retain) {}

  // INVALID_ARGUMENT: no name for a dataset. ALREADY_EXISTS: one has it.
  absl::Status Add(const std::string& name,
                   std::shared_ptr<const store::StoreReader> store);
  // NOT_FOUND: no dataset of this name.
  absl::Status AddGeneration(const std::string& name,
                             std::shared_ptr<const store::StoreReader> store);
  // As Engine::UseGenerations.
  absl::Status UseGenerations(
      const std::map<std::string, std::string>& fingerprints);
  std::vector<std::string> names() const;   // ascending
  std::vector<ServedStore> stores() const;  // in their order
  // As it is now, in the generation with this fingerprint ("": the one in use;
  // errors as UseGeneration's, of `field`). `name` "": the only dataset,
  // INVALID_ARGUMENT where there are others. NOT_FOUND names the nearest.
  absl::StatusOr<Dataset> Find(const std::string& name,
                               const std::string& fingerprint = "",
                               const char* field = "fingerprint") const;

 private:
  const uint32_t retain_;
  mutable std::mutex mu_;
  std::map<std::string, Dataset> datasets_;  // by mu_
};

}  // namespace inkstream::batch

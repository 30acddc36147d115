// A store, and the engine that serves it to this process alone.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/batch/engine.h"
#include "server/service/service.h"
#include "server/store/store_reader.h"

namespace inkstream::engine {

class LocalBatches;
class LocalStream;

struct LocalEngineOptions {
  std::string path;
  std::string fingerprint;  // hex; empty: the newest generation
  uint32_t shares = 1;      // processes that share the machine
  uint32_t threads = 0;     // that draw; 0: the CPUs, by `shares`
  uint64_t memory = 0;      // bytes; 0: see inkstream/engine.h
};

// Lives for as long as something of it is used: its streams keep it.
class LocalEngine : public std::enable_shared_from_this<LocalEngine> {
 public:
  // Errors are those of StoreReader::Open. NOT_FOUND: no generation of the
  // store has the fingerprint.
  static absl::StatusOr<std::shared_ptr<LocalEngine>> Open(
      const LocalEngineOptions& options);
  ~LocalEngine();
  LocalEngine(const LocalEngine&) = delete;
  LocalEngine& operator=(const LocalEngine&) = delete;

  // The answer, serialised, of a method that answers once. UNIMPLEMENTED: there
  // is no such method.
  absl::StatusOr<std::string> Call(absl::string_view method,
                                   absl::string_view request);

  absl::StatusOr<std::shared_ptr<LocalStream>> StreamBatches(
      absl::string_view request);
  absl::StatusOr<std::shared_ptr<LocalStream>> FetchDrawings(
      absl::string_view request);

 private:
  LocalEngine(std::shared_ptr<const store::StoreReader> store,
              std::unique_ptr<batch::Engine> engine, uint64_t memory);

  absl::Status GetStatus(const v1::GetStatusRequest& request,
                         v1::GetStatusResponse* response);

  const std::shared_ptr<const store::StoreReader> store_;
  const std::unique_ptr<batch::Engine> engine_;
  const service::Service service_;
  const std::chrono::steady_clock::time_point started_ =
      std::chrono::steady_clock::now();
  std::mutex mu_;  // guards everything below
  uint64_t last_id_ = 0;
  std::vector<std::weak_ptr<LocalBatches>> streams_;
};

}  // namespace inkstream::engine

// How far a server has come, for the pages that answer from its first moment to
// its last.
//
// Thread safety: any thread.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <cstdint>
#include <ctime>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/app/serve/generation_watch.h"
#include "server/app/serve/scrubber.h"
#include "server/ops/http_server.h"
#include "server/transport/grpc/grpc_server.h"

namespace inkstream::app {

class ServiceState {
 public:
  explicit ServiceState(std::string version) : version_(std::move(version)) {}

  // `what` is being read, before anything can be served.
  void Loading(std::string what);
  // `server` outlives this object's last page.
  void Serving(const transport::GrpcServer* server);
  void Draining();
  // It was read again, and is in use or was no good.
  void ReadConfig(bool good);
  // The page was asked, and has answered with this code of HTTP.
  void PageAnswered(unsigned int code);
  // From the watch of the store's path.
  void SetDataset(const std::string& name, const GenerationWatch::State& how);
  void SetScrubbed(const std::string& dataset,
                   const Scrubber::Figures& figures);

  // Not so: only another process helps.
  bool Alive() const;
  std::vector<ops::ReadyCheck> Checks() const;
  std::string Metrics() const;
  // UNAVAILABLE: not serving yet.
  absl::Status GetStatus(v1::GetStatusResponse* response) const;

 private:
  struct DatasetState {
    GenerationWatch::State watched;
    Scrubber::Figures scrubbed;
  };

  std::string LostFiles() const;  // with mu_ held; "": some can be served

  const std::string version_;
  mutable std::mutex mu_;
  std::string loading_ = "not opened yet";  // by mu_; "": done
  bool draining_ = false;                   // by mu_
  transport::ReloadFigures config_{true, std::time(nullptr)};  // by mu_
  std::map<unsigned int, uint64_t> page_answers_;              // by mu_
  std::map<std::string, DatasetState> datasets_;               // by mu_
  const transport::GrpcServer* server_ = nullptr;              // by mu_
};

}  // namespace inkstream::app

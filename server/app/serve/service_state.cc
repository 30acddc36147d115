#include "server/app/serve/service_state.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "server/app/log/logging.h"
#include "server/ops/metrics_page.h"
#include "server/ops/process_figures.h"

namespace inkstream::app {

void ServiceState::Loading(std::string what) {
  const std::lock_guard<std::mutex> lock(mu_);
  loading_ = std::move(what);
}

void ServiceState::Serving(const transport::GrpcServer* server) {
  const std::lock_guard<std::mutex> lock(mu_);
  loading_.clear();
  server_ = server;
}

void ServiceState::Draining() {
  const std::lock_guard<std::mutex> lock(mu_);
  draining_ = true;
}

void ServiceState::ReadConfig(bool good) {
  const std::lock_guard<std::mutex> lock(mu_);
  config_.good = good;
  if (good) config_.since = std::time(nullptr);
}

void ServiceState::PageAnswered(unsigned int code) {
  const std::lock_guard<std::mutex> lock(mu_);
  ++page_answers_[code];
}

void ServiceState::SetDataset(const std::string& name,
                              const GenerationWatch::State& how) {
  const std::lock_guard<std::mutex> lock(mu_);
  datasets_[name].watched = how;
}

void ServiceState::SetScrubbed(const std::string& dataset,
                               const Scrubber::Figures& figures) {
  const std::lock_guard<std::mutex> lock(mu_);
  datasets_[dataset].scrubbed = figures;
}

bool ServiceState::Alive() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return server_ == nullptr || server_->alive();
}

std::vector<ops::ReadyCheck> ServiceState::Checks() const {
  const std::lock_guard<std::mutex> lock(mu_);
  std::string serving;
  if (draining_) {
    serving = "draining: streams go elsewhere";
  } else if (server_ == nullptr) {
    serving = "not listening yet";
  } else if (!server_->alive()) {
    serving = "gRPC takes no new connections";
  }
  return {{"stores", loading_}, {"serving", serving}, {"files", LostFiles()}};
}

// As long as one dataset can be served, the others are no reason to send
// everybody away.
std::string ServiceState::LostFiles() const {
  std::string lost;
  for (const auto& [name, dataset] : datasets_) {
    if (dataset.watched.lost.empty()) return "";
    lost = dataset.watched.lost;
  }
  return lost;
}

absl::Status ServiceState::GetStatus(v1::GetStatusResponse* response) const {
  const transport::GrpcServer* server = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    server = server_;
  }
  if (server == nullptr) {
    return absl::UnavailableError("the server does not serve yet: ask again");
  }
  return server->GetStatus(response);
}

std::string ServiceState::Metrics() const {
  ops::MetricsInput input;
  const transport::GrpcServer* server = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    server = server_;
    input.config = config_;
    input.page_answers = page_answers_;
    for (const auto& [name, dataset] : datasets_) {
      input.datasets.push_back({name, dataset.watched.successor_refused,
                                dataset.watched.lost.empty(),
                                dataset.scrubbed.passes, dataset.scrubbed.bytes,
                                dataset.scrubbed.damaged});
    }
  }
  if (server != nullptr) input.service = server->Figures();
  input.process = ops::ReadProcessFigures();
  input.ready = true;
  for (const ops::ReadyCheck& check : Checks()) {
    input.ready = input.ready && check.problem.empty();
  }
  input.lost_log_lines = LostLogLines();
  input.version = version_;
  input.grpc_version = grpc::Version();
  return ops::MetricsPage(input);
}

}  // namespace inkstream::app

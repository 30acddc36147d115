#include "server/app/service_state.h"

#include <utility>

#include "server/ops/metrics_page.h"
#include "server/transport/server_snapshot.h"

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

std::vector<ops::ReadyCheck> ServiceState::Checks() const {
  const std::lock_guard<std::mutex> lock(mu_);
  std::string serving;
  if (draining_) {
    serving = "draining: streams go elsewhere";
  } else if (server_ == nullptr) {
    serving = "not listening yet";
  }
  return {{"stores", loading_}, {"serving", serving}};
}

std::string ServiceState::Metrics() const {
  const transport::GrpcServer* server = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    server = server_;
  }
  return ops::MetricsPage(server == nullptr ? transport::ServerSnapshot()
                                            : server->Snapshot());
}

}  // namespace inkstream::app

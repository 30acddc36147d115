#include "server/transport/grpc/health_service.h"

#include <inkstream/v1/service.grpc.pb.h>

namespace inkstream::transport {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

// One Watch call. All methods but OnDone() with the service's lock held.
class HealthWatch : public ::grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  HealthWatch(HealthService* service, std::string name)
      : service_(service), name_(std::move(name)) {}

  // Tells the client what has changed, then ends if that is due, as soon as
  // nothing is in flight.
  void Update(HealthCheckResponse::ServingStatus status, bool end) {
    wanted_ = status;
    ending_ = ending_ || end;
    if (writing_ || finished_) return;
    if (!gone_ && (!told_ || response_.status() != wanted_)) {
      told_ = true;
      writing_ = true;
      response_.set_status(wanted_);
      StartWrite(&response_);
    } else if (ending_) {
      finished_ = true;
      Finish(::grpc::Status(::grpc::StatusCode::UNAVAILABLE,
                            "this server is shutting down"));
    }
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard<std::mutex> lock(service_->mu_);
    writing_ = false;
    gone_ = gone_ || !ok;
    Update(wanted_, /*end=*/gone_);
  }
  void OnCancel() override {
    const std::lock_guard<std::mutex> lock(service_->mu_);
    gone_ = true;
    Update(wanted_, /*end=*/true);
  }
  void OnDone() override {
    service_->Forget(this);
    delete this;
  }

  const std::string& name() const { return name_; }

 private:
  HealthService* const service_;
  const std::string name_;
  HealthCheckResponse response_;
  HealthCheckResponse::ServingStatus wanted_ = HealthCheckResponse::UNKNOWN;
  bool told_ = false;
  bool writing_ = false;
  bool gone_ = false;  // the client
  bool ending_ = false;
  bool finished_ = false;
};

void HealthService::StopServing() {
  const std::lock_guard<std::mutex> lock(mu_);
  serving_ = false;
  TellWatches();
}

void HealthService::SetServing(const std::string& dataset, bool serving) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (serving) {
    lost_.erase(dataset);
  } else {
    lost_.insert(dataset);
  }
  TellWatches();
}

void HealthService::TellWatches() {
  for (HealthWatch* watch : watches_) {
    watch->Update(StatusOf(watch->name()), /*end=*/false);
  }
}

void HealthService::EndWatches() {
  const std::lock_guard<std::mutex> lock(mu_);
  ended_ = true;
  for (HealthWatch* watch : watches_) {
    watch->Update(StatusOf(watch->name()), /*end=*/true);
  }
}

::grpc::ServerUnaryReactor* HealthService::Check(
    ::grpc::CallbackServerContext* call, const HealthCheckRequest* request,
    HealthCheckResponse* response) {
  const std::lock_guard<std::mutex> lock(mu_);
  ::grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
  const Status status = StatusOf(request->service());
  if (status == HealthCheckResponse::SERVICE_UNKNOWN) {
    reactor->Finish(::grpc::Status(
        ::grpc::StatusCode::NOT_FOUND,
        "no service or dataset has this name; \"\" asks for the server"));
  } else {
    response->set_status(status);
    reactor->Finish(::grpc::Status::OK);
  }
  return reactor;
}

::grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(
    ::grpc::CallbackServerContext* /*call*/,
    const HealthCheckRequest* request) {
  auto* const watch = new HealthWatch(this, request->service());
  const std::lock_guard<std::mutex> lock(mu_);
  watches_.insert(watch);
  watch->Update(StatusOf(watch->name()), ended_);
  return watch;
}

HealthService::Status HealthService::StatusOf(const std::string& name) const {
  const bool all =
      name.empty() || name == v1::DrawingService::service_full_name();
  if (!all && !datasets_.contains(name)) {
    return HealthCheckResponse::SERVICE_UNKNOWN;
  }
  const bool lost =
      all ? !lost_.empty() && lost_ == datasets_ : lost_.contains(name);
  return serving_ && alive_() && !lost ? HealthCheckResponse::SERVING
                                       : HealthCheckResponse::NOT_SERVING;
}

void HealthService::Forget(HealthWatch* watch) {
  const std::lock_guard<std::mutex> lock(mu_);
  watches_.erase(watch);
}

}  // namespace inkstream::transport

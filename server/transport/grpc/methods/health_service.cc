#include "server/transport/grpc/methods/health_service.h"

#include <inkstream/v1/service.grpc.pb.h>

#include <utility>

#include "server/transport/grpc/calls/proto_message.h"
#include "server/transport/grpc/calls/unary_reactor.h"

namespace inkstream::transport {

// One Watch call.
class HealthWatch : public PermittedReactor {
 public:
  HealthWatch(HealthService* service, const Caller& caller,
              grpc::CallbackServerContext* call)
      : PermittedReactor(&service->reads_, caller.peer.caller, call),
        service_(service),
        access_(caller.access) {
    Read();
  }

  // Tells the client what has changed, then ends if that is due, as soon as
  // nothing is in flight. With the service's lock held.
  void Update(HealthService::Status status, bool end) {
    wanted_ = status;
    ending_ = ending_ || end;
    if (writing_ || finished_) return;
    if (!gone_ && (!told_ || response_.status() != wanted_)) {
      told_ = true;
      writing_ = true;
      response_.set_status(wanted_);
      message_ = SerializeMessage(response_);
      StartWrite(&message_);
    } else if (ending_) {
      finished_ = true;
      Finish(absl::UnavailableError("this server is shutting down"));
    }
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard<std::mutex> lock(service_->mu_);
    writing_ = false;
    gone_ = gone_ || !ok;
    Update(wanted_, /*end=*/gone_);
  }
  void OnDone() override {
    service_->Forget(this);
    PermittedReactor::OnDone();
  }

  const std::string& name() const { return request_.service(); }

 private:
  void OnMessage() override {
    absl::Status status = ParseMessage(message_, &request_);
    if (status.ok()) status = service_->MayAsk(*access_, request_.service());
    if (status.ok()) return service_->Add(this);
    Finish(status);
  }
  void OnGone() override {
    const std::lock_guard<std::mutex> lock(service_->mu_);
    gone_ = true;
    Update(wanted_, /*end=*/true);
  }

  HealthService* const service_;
  const std::shared_ptr<const Access> access_;
  HealthService::Request request_;
  HealthService::Response response_;
  HealthService::Status wanted_ = HealthService::Response::UNKNOWN;
  bool told_ = false;
  bool writing_ = false;
  bool gone_ = false;  // the client
  bool ending_ = false;
  bool finished_ = false;
};

HealthService::HealthService(const std::vector<std::string>& datasets,
                             std::function<bool()> alive,
                             const Authenticator* authenticator)
    : RawService("grpc.health.v1.Health", authenticator),
      datasets_(datasets.begin(), datasets.end()),
      alive_(std::move(alive)) {
  const auto at_once = [](const std::string& /*caller*/, size_t /*bytes*/,
                          const std::function<void()>& work) {
    work();
    return absl::OkStatus();
  };
  RawService::Add("Check", [=, this](grpc::CallbackServerContext* call,
                                     const Caller& caller) {
    const auto check = [this, access = caller.access](Request* request,
                                                      Response* response) {
      absl::Status status = MayAsk(*access, request->service());
      return status.ok() ? Check(*request, response) : status;
    };
    return new UnaryReactor<Request, Response>(
        &reads_, &answers_, caller.peer.caller, call, check, at_once);
  });
  RawService::Add(
      "Watch", [this](grpc::CallbackServerContext* call, const Caller& caller) {
        return new HealthWatch(this, caller, call);
      });
}

void HealthService::StopServing() {
  const std::lock_guard<std::mutex> lock(mu_);
  serving_ = false;
  TellWatches();
}

void HealthService::Look() {
  const std::lock_guard<std::mutex> lock(mu_);
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

void HealthService::EndWatches() {
  const std::lock_guard<std::mutex> lock(mu_);
  ended_ = true;
  TellWatches();
}

absl::Status HealthService::MayAsk(const Access& access,
                                   std::string name) const {
  if (name.empty()) return absl::OkStatus();
  if (!access.known) {
    return absl::UnauthenticatedError(
        "only the health of \"\", the whole server, is told without a token");
  }
  if (name == v1::DrawingService::service_full_name()) return absl::OkStatus();
  return access.Choose({}, &name);
}

absl::Status HealthService::Check(const Request& request,
                                  Response* response) const {
  const std::lock_guard<std::mutex> lock(mu_);
  const Status status = StatusOf(request.service());
  if (status == Response::SERVICE_UNKNOWN) {
    return absl::NotFoundError(
        "no service or dataset has this name; \"\" asks for the server");
  }
  response->set_status(status);
  return absl::OkStatus();
}

HealthService::Status HealthService::StatusOf(const std::string& name) const {
  const bool all =
      name.empty() || name == v1::DrawingService::service_full_name();
  if (!all && !datasets_.contains(name)) return Response::SERVICE_UNKNOWN;
  const bool lost =
      all ? !lost_.empty() && lost_ == datasets_ : lost_.contains(name);
  return serving_ && alive_() && !lost ? Response::SERVING
                                       : Response::NOT_SERVING;
}

void HealthService::TellWatches() {
  for (HealthWatch* watch : watches_) {
    watch->Update(StatusOf(watch->name()), ended_);
  }
}

void HealthService::Add(HealthWatch* watch) {
  const std::lock_guard<std::mutex> lock(mu_);
  watches_.insert(watch);
  watch->Update(StatusOf(watch->name()), ended_);
}

void HealthService::Forget(HealthWatch* watch) {
  const std::lock_guard<std::mutex> lock(mu_);
  watches_.erase(watch);
}

}  // namespace inkstream::transport

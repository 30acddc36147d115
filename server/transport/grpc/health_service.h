// grpc.health.v1 of our own: gRPC's built-in one has no descriptor, so
// reflection cannot describe it and grpcurl cannot call it. Answers for "",
// for the service's name and for every dataset's.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <grpc/health/v1/health.grpc.pb.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace inkstream::transport {

class HealthWatch;

class HealthService : public ::grpc::health::v1::Health::CallbackService {
 public:
  // All serve from the start, for as long as `alive`. Watchers are told of the
  // latter when they ask again.
  HealthService(const std::vector<std::string>& datasets,
                std::function<bool()> alive)
      : datasets_(datasets.begin(), datasets.end()), alive_(std::move(alive)) {}

  // From now on every name is NOT_SERVING, and watchers are told.
  void StopServing();

  // Whether a dataset can be served; watchers are told. The server does not
  // serve where none of them can be.
  void SetServing(const std::string& dataset, bool serving);

  // Ends every Watch, which would otherwise hold up a shutdown.
  void EndWatches();

  ::grpc::ServerUnaryReactor* Check(
      ::grpc::CallbackServerContext* call,
      const ::grpc::health::v1::HealthCheckRequest* request,
      ::grpc::health::v1::HealthCheckResponse* response) override;
  ::grpc::ServerWriteReactor<::grpc::health::v1::HealthCheckResponse>* Watch(
      ::grpc::CallbackServerContext* call,
      const ::grpc::health::v1::HealthCheckRequest* request) override;

 private:
  friend class HealthWatch;
  using Status = ::grpc::health::v1::HealthCheckResponse::ServingStatus;

  Status StatusOf(const std::string& name) const;  // with mu_ held
  void TellWatches();                              // with mu_ held
  void Forget(HealthWatch* watch);

  mutable std::mutex mu_;  // guards everything below
  const std::set<std::string> datasets_;
  const std::function<bool()> alive_;
  bool serving_ = true;
  std::set<std::string> lost_;  // of datasets_
  bool ended_ = false;
  std::set<HealthWatch*> watches_;
};

}  // namespace inkstream::transport

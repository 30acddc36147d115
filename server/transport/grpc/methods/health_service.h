// grpc.health.v1 of our own: gRPC's built-in one has no descriptor, so
// reflection cannot describe it and grpcurl cannot call it. Answers for "",
// for the service's name and for every dataset's.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <grpc/health/v1/health.pb.h>

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "server/transport/grpc/calls/answer_bytes.h"
#include "server/transport/grpc/calls/raw_service.h"
#include "server/transport/read_permits.h"

namespace inkstream::transport {

class HealthWatch;

class HealthService : public RawService {
 public:
  // All `datasets` serve from the start, for as long as `alive`.
  // `authenticator` outlives every call.
  HealthService(const std::vector<std::string>& datasets,
                std::function<bool()> alive,
                const Authenticator* authenticator);

  // From now on every name is NOT_SERVING, and watchers are told.
  void StopServing();

  // Tells watchers what has become of `alive`. To be called now and then.
  void Look();
  // Whether a dataset can be served; watchers are told. The server does not
  // serve where none of them can be.
  void SetServing(const std::string& dataset, bool serving);

  // Ends every Watch, which would otherwise hold up a shutdown.
  void EndWatches();

 private:
  friend class HealthWatch;
  using Request = ::grpc::health::v1::HealthCheckRequest;
  using Response = ::grpc::health::v1::HealthCheckResponse;
  using Status = Response::ServingStatus;

  // Where there are tokens, any name but "" needs one that is good for it.
  absl::Status MayAsk(const Access& access, std::string name) const;
  absl::Status Check(const Request& request, Response* response) const;
  Status StatusOf(const std::string& name) const;  // with mu_ held
  void TellWatches();                              // likewise
  void Add(HealthWatch* watch);
  void Forget(HealthWatch* watch);

  // Its own: probes are answered while other requests wait to be read, and
  // other answers to be taken.
  ReadPermits reads_{{}};
  AnswerBytes answers_{size_t{1} << 20U};
  mutable std::mutex mu_;  // guards everything below
  const std::set<std::string> datasets_;
  const std::function<bool()> alive_;
  bool serving_ = true;
  std::set<std::string> lost_;  // of datasets_
  bool ended_ = false;
  std::set<HealthWatch*> watches_;
};

}  // namespace inkstream::transport

// inkstream.v1.DrawingService: every method is glue around a handler.
#pragma once

#include "absl/status/status.h"
#include "server/transport/grpc/calls/raw_service.h"
#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

class DrawingService : public RawService {
 public:
  // `server` outlives the service and every call.
  explicit DrawingService(const ServerContext& server);

 private:
  enum class On : uint8_t { kRequestThread, kThisThread };

  // A method of one request and one answer. Requests that may scan a store are
  // answered `on` a request thread; who answers on gRPC's does so also when
  // those are all busy. `handle`: (const Access&, Request*, Response*) to a
  // status.
  template <typename Request, typename Response, typename Handle>
  void AddUnary(const char* name, On on, Handle handle);

  const ServerContext& server_;
};

}  // namespace inkstream::transport

// Notes how every call but streams of batches was answered, in one place for
// all methods, whoever answers them.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <memory>

#include "server/transport/call_observer.h"
#include "server/transport/grpc/authenticator.h"
#include "server/transport/status/service_counts.h"

namespace inkstream::transport {

// All outlive the server; `observer` may be null. Calls that `authenticator`
// has refused are noted there.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
NewAnswerInterceptors(ServiceCounts* counts, CallObserver* observer,
                      const Authenticator* authenticator);

}  // namespace inkstream::transport

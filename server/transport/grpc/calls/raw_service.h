// A service of methods that take and give messages as bytes.
//
// To gRPC each method is a stream in both directions, which is the same on the
// wire: so it is the method that decides when a request is read. Of a method
// that it knows to have one request, gRPC reads it before anybody is asked, and
// where it cannot be parsed says UNIMPLEMENTED.
//
// Thread safety: methods are called from any thread; none of them may block.
#pragma once

#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <list>
#include <string>
#include <utility>

#include "server/transport/grpc/calls/authenticator.h"

namespace inkstream::transport {

class RawService : public grpc::Service {
 protected:
  using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;
  // Asked only for calls that may be made. `caller`: where it comes from.
  using Method = std::function<Reactor*(grpc::CallbackServerContext* call,
                                        const Caller& caller)>;

  // Reflection describes a service of this name, if it is compiled in.
  // `authenticator` outlives every call.
  RawService(std::string full_name, const Authenticator* authenticator)
      : full_name_(std::move(full_name)), authenticator_(authenticator) {}

  // While the service is built.
  void Add(const std::string& name, Method method);

 private:
  const std::string full_name_;
  const Authenticator* const authenticator_;
  std::list<std::string> paths_;  // gRPC keeps pointers to them
};

}  // namespace inkstream::transport

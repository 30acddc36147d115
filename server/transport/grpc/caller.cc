#include "server/transport/grpc/caller.h"

#include <grpcpp/server_context.h>

namespace inkstream::transport {

std::string CallerOf(const grpc::CallbackServerContext& call) {
  const auto token = call.client_metadata().find("authorization");
  if (token != call.client_metadata().end()) {
    return std::string(token->second.data(), token->second.size());
  }
  // ipv4:HOST:PORT, ipv6:[HOST]:PORT, or unix:PATH.
  std::string peer = call.peer();
  if (peer.rfind("ip", 0) == 0) peer.resize(peer.rfind(':'));
  return peer;
}

}  // namespace inkstream::transport

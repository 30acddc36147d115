// On whose behalf a call is made: what the workers' turns are shared by.
//
// Thread safety: pure function.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <string>

namespace inkstream::transport {

// Equal for calls with the same token; without one, for calls from the same
// host, whatever their ports. Never shown: it may contain the token.
std::string CallerOf(const grpc::CallbackServerContext& call);

}  // namespace inkstream::transport

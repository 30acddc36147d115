// How every channel of this library is set up, and the memory that it receives
// into.
//
// Thread safety: any thread.
#pragma once

#include <grpcpp/support/channel_arguments.h>

#include <cstdint>

#include "absl/strings/string_view.h"

namespace inkstream::client {

// `max_message_bytes`: what the server was asked to cut to.
grpc::ChannelArguments ChannelArgumentsFor(absl::string_view target,
                                           uint32_t max_message_bytes);

}  // namespace inkstream::client

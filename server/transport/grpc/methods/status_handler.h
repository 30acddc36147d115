// GetStatus: who streams what, how fast, and who waits for whom.
//
// Thread safety: pure function over thread-safe objects.
#pragma once

#include <inkstream/v1/service.pb.h>

#include "absl/status/status.h"
#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

absl::Status GetStatus(const ServerContext& server, const Access& access,
                       const v1::GetStatusRequest& request,
                       v1::GetStatusResponse* response);

}  // namespace inkstream::transport

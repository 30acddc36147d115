// ExplainPlan: what a stream would deliver.
//
// Thread safety: pure function over a thread-safe engine.
#pragma once

#include <inkstream/v1/service.pb.h>

#include "absl/status/status.h"
#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

absl::Status ExplainPlan(const ServerContext& server,
                         const v1::ExplainPlanRequest& request,
                         v1::ExplainPlanResponse* response);

}  // namespace inkstream::transport

// ExplainPlan: what a stream would deliver.
//
// Thread safety: pure function over a thread-safe engine.
#pragma once

#include <inkstream/v1/service.pb.h>

#include "absl/status/status.h"
#include "server/service/service.h"

namespace inkstream::service {

absl::Status ExplainPlan(const Service& service,
                         const v1::ExplainPlanRequest& request,
                         v1::ExplainPlanResponse* response);

}  // namespace inkstream::service

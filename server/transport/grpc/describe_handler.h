// ListDatasets and DescribeDataset: what a client needs to build requests.
//
// Thread safety: pure functions over a thread-safe engine.
#pragma once

#include <inkstream/v1/service.pb.h>

#include "absl/status/status.h"
#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

absl::Status ListDatasets(const ServerContext& server,
                          v1::ListDatasetsResponse* response);

absl::Status DescribeDataset(const ServerContext& server,
                             const v1::DescribeDatasetRequest& request,
                             v1::DescribeDatasetResponse* response);

}  // namespace inkstream::transport

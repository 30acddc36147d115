// ListDatasets and DescribeDataset: what a client needs to build requests.
//
// Thread safety: pure functions over a thread-safe engine.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/service/service.h"

namespace inkstream::service {

v1::DatasetSummary SummaryOf(const batch::ServedStore& served);

// Of those named, also those that cannot be read now. Needs no disk.
void ListDatasets(const Service& service,
                  const std::vector<std::string>& datasets,
                  v1::ListDatasetsResponse* response);

absl::Status DescribeDataset(const Service& service,
                             const v1::DescribeDatasetRequest& request,
                             v1::DescribeDatasetResponse* response);

}  // namespace inkstream::service

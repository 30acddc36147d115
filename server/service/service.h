// The methods of inkstream.v1.DrawingService on an engine, whoever asks, and
// what a stream tells.
//
// Thread safety: pure functions over a thread-safe engine.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batch/batch_stream.h"
#include "server/batch/engine.h"
#include "server/batch/job/finished_batch.h"

namespace inkstream::service {

// What all methods answer by.
struct Service {
  batch::Engine* engine = nullptr;
  std::string version;
  uint64_t memory_bytes = 0;  // of batches, views and all else
  // Of a server; 0: there is none.
  uint32_t max_streams_per_connection = 0;
  uint32_t max_request_bytes = 0;
};

v1::DatasetSummary SummaryOf(const batch::ServedStore& served);

// Of those named, also those that cannot be read now. Needs no disk.
void ListDatasets(const Service& service,
                  const std::vector<std::string>& datasets,
                  v1::ListDatasetsResponse* response);
absl::Status DescribeDataset(const Service& service,
                             const v1::DescribeDatasetRequest& request,
                             v1::DescribeDatasetResponse* response);
absl::Status ExplainPlan(const Service& service,
                         const v1::ExplainPlanRequest& request,
                         v1::ExplainPlanResponse* response);
absl::Status InspectDrawing(const Service& service,
                            const v1::InspectDrawingRequest& request,
                            v1::InspectDrawingResponse* response);

// What the engine fetches. Errors are INVALID_ARGUMENT.
absl::StatusOr<batch::FetchPlan> FetchPlanFromProto(
    const v1::FetchDrawingsRequest& request);

// What a stream tells, without what only a transport knows.
v1::StreamOpened OpenedOf(const batch::StreamFacts& facts);
// `facts`: of the batch's stream.
v1::BatchHeader HeaderOf(const batch::StreamFacts& facts,
                         const batch::FinishedBatch& batch);
v1::StreamEnd EndOf(const batch::StreamFacts& facts, const batch::Ended& end);

}  // namespace inkstream::service

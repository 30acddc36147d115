// Public values into messages of the contract and back: the one place that
// knows both.
//
// Thread safety: pure functions.
#pragma once

#include "absl/status/status.h"
#include "client/cpp/received_batch.h"
#include "inkstream/batch.h"
#include "inkstream/client.h"
#include "inkstream/dataset_info.h"
#include "inkstream/plan.h"
#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

DType DTypeOf(v1::DType dtype);  // kUnspecified for unknown numbers
Cursor CursorOf(const v1::Cursor& message);
StreamInfo StreamInfoOf(const v1::StreamOpened& message);
PlanReport PlanReportOf(const v1::ExplainPlanResponse& message);
DatasetInfo DatasetInfoOf(const v1::DescribeDatasetResponse& message);
Batch::Content ContentOf(ReceivedBatch batch);

// INVALID_ARGUMENT for values that the wire would turn into others: a 0 that
// means "the default" there.
absl::Status CheckPlan(const Plan& plan);

v1::Cursor ToMessage(const Cursor& cursor);
v1::View ToMessage(const View& view);
v1::StreamBatchesRequest OpenRequest(const Plan& plan, uint32_t credits,
                                     uint32_t max_message_bytes);
v1::ExplainPlanRequest ToMessage(const Plan& plan, const StepQuery& query,
                                 uint32_t max_message_bytes);
v1::FetchDrawingsRequest ToMessage(const FetchRequest& request,
                                   uint32_t max_message_bytes);

}  // namespace inkstream::client

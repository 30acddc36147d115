// Public values out of the answers of the contract.
//
// Thread safety: pure functions.
#pragma once

#include "client/engine/received_batch.h"
#include "inkstream/batch.h"
#include "inkstream/client.h"
#include "inkstream/dataset_info.h"
#include "inkstream/plan.h"
#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

StreamInfo StreamInfoOf(const v1::StreamOpened& message);
PlanReport PlanReportOf(const v1::ExplainPlanResponse& message);
DatasetInfo DatasetInfoOf(const v1::DescribeDatasetResponse& message);
std::shared_ptr<const Vocabulary> VocabularyOf(const v1::StreamOpened& message);
// `vocabulary`: of the batch's stream.
Batch::Content ContentOf(engine::ReceivedBatch batch,
                         std::shared_ptr<const Vocabulary> vocabulary);

}  // namespace inkstream::client

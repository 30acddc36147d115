// A fetch of drawings by number or name: what it asks for, and its answer.
//
// Thread safety: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/batch/batch_stream.h"
#include "server/batch/job/finished_batch.h"

namespace inkstream::batch {

// What FetchDrawings asks for: exactly one of the lists is set. `delivery` is
// read for its tensors, columns, augmentation and codec. With `seed`, `epoch`
// and `first_view` those of a stream, the tensors are what the stream gave.
struct FetchPlan {
  std::string dataset;
  std::string fingerprint;  // hex; empty: of the generation in use
  View view;                // what `ranks` count in
  std::vector<uint64_t> indices;
  std::vector<uint64_t> ranks;
  std::vector<int64_t> key_ids;
  DeliverySpec delivery;
  uint64_t seed = 0;  // of the augmentation, as the three below
  uint64_t epoch = 0;
  uint32_t first_view = 0;  // number of the first of delivery.views copies
};

struct FetchedBatch {
  FinishedBatch batch;
  StreamFacts facts;  // of a stream of the same view; start has no order plan
};

// On whose behalf a fetch is, and the bytes of its request.
struct FetchCaller {
  std::string name;
  size_t request_bytes = 0;
};

using FetchDone = std::function<void(absl::StatusOr<FetchedBatch>)>;

}  // namespace inkstream::batch

// Checks of plans that need no store: what a request may ask for at all.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT and name the
// field, its value and the limit.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/batch/batch_layout.h"
#include "server/batch/engine.h"

namespace inkstream::batch {

// Prices the delivery against the limits and the memory for batches, then
// checks the image's options.
absl::StatusOr<BatchLayout> PriceDelivery(const DeliverySpec& delivery,
                                          const EngineOptions& options);

// World, rank and what only streams have.
absl::Status CheckSharding(const DeliverySpec& delivery, const Limits& limits);

// Exactly one list, at most max_fetch_indices long.
absl::Status CheckFetch(const FetchPlan& plan, const Limits& limits);

// A served name: 1..64 of letters, digits, '.', '_' and '-'.
absl::Status CheckDatasetName(const std::string& name);

}  // namespace inkstream::batch

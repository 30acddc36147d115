// Checks of plans that need no store: what a request may ask for at all.
//
// Thread safety: pure functions. Errors are INVALID_ARGUMENT and name the
// field, its value and the limit.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/batch/engine.h"
#include "server/layout/batch_layout.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

// Prices the delivery against the limits and the memory for batches, then
// checks what the image and the augmentation are made of. `has_times`: whether
// the dataset's drawings have.
absl::StatusOr<layout::BatchLayout> PriceDelivery(const DeliverySpec& delivery,
                                                  const EngineOptions& options,
                                                  bool has_times);

// What StrokeScale::kDataset divides by, for every view of the store: the
// standard deviation of the offsets in the split "train", so that evaluation
// is scaled as training was; that of the whole store where there is no such
// split. 0 where the spec does not ask for it. INVALID_ARGUMENT: the store
// does not know it.
absl::StatusOr<double> DatasetStd(const store::StoreReader& store,
                                  const StrokesSpec& spec);

// World, rank and what only streams have.
absl::Status CheckSharding(const DeliverySpec& delivery, const Limits& limits);

// Exactly one list, at most max_fetch_indices long.
absl::Status CheckFetch(const FetchPlan& plan, const Limits& limits);

// A served name: 1..64 of letters, digits, '.', '_' and '-'.
absl::Status CheckDatasetName(const std::string& name);

}  // namespace inkstream::batch

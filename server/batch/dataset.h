// One dataset that the engine serves: a store under a name, and how requests
// find drawings in it.
//
// Thread safety: plain value over an immutable store; the functions are pure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/batch/plan/fetch_plan.h"
#include "server/batch/view/resolved_view.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

struct Dataset {
  std::string name;
  std::shared_ptr<const store::StoreReader> store;  // the generation in use
  // All that are kept, the newest first.
  std::vector<std::shared_ptr<const store::StoreReader>> generations;
  bool pinned = false;  // `store` stays in use when a newer one comes
};

// `store` becomes the newest generation, and `retain` are kept; of those the
// newest and the one in use, however few that is. Where the content is one that
// is held already, it takes the place of that one.
void AddGenerationTo(Dataset* dataset,
                     std::shared_ptr<const store::StoreReader> store,
                     uint32_t retain);

// UNAVAILABLE with reason STORE_LOST: a file of the store cannot be read any
// more, so nothing that was read of it before this call may be used.
absl::Status CheckStore(const store::StoreReader& store);

// Makes the generation with this fingerprint ("": none) the one in use.
// UNAVAILABLE with reason GENERATION_NOT_HERE, naming it and those that are
// here, where there is none; otherwise as CheckStore.
absl::Status UseGeneration(const std::string& field,
                           const std::string& fingerprint, Dataset* dataset);

// Store indices of what the plan lists. INVALID_ARGUMENT: beyond the end;
// NOT_FOUND: no drawing has the key. Both name the place in the list. Many
// keys are searched for on `threads` threads, until `cancelled`.
absl::StatusOr<std::vector<uint64_t>> IndicesOf(
    const Dataset& dataset, const ResolvedView& view, const FetchPlan& plan,
    int threads, const std::function<bool()>& cancelled);

// Name of the first split that holds the drawing; "" where none does.
std::string SplitOf(const store::StoreReader& store, uint64_t index);

}  // namespace inkstream::batch

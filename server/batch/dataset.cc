#include "server/batch/dataset.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/nearest_name.h"
#include "server/base/status_reason.h"
#include "server/batch/view/key_search.h"
#include "server/store/store_health.h"

namespace inkstream::batch {
namespace {

// Above this many keys one scan of the key column is cheaper than a search for
// each.
constexpr size_t kKeysWorthAScan = 4;

absl::Status NoSuchKey(const Dataset& dataset, size_t place, int64_t key) {
  return absl::NotFoundError(
      absl::StrCat("key_id[", place, "]: no drawing of dataset ",
                   Quoted(dataset.name), " has the key ", key));
}

absl::StatusOr<std::vector<uint64_t>> IndicesOfKeys(
    const Dataset& dataset, const std::vector<int64_t>& keys, int threads,
    const std::function<bool()>& cancelled) {
  std::vector<uint64_t> indices;
  if (keys.size() <= kKeysWorthAScan) {
    for (const int64_t key : keys) {
      absl::StatusOr<uint64_t> index = dataset.store->FindKey(key);
      if (!index.ok() && !absl::IsNotFound(index.status())) {
        return index.status();
      }
      indices.push_back(index.ok() ? *index : kNoSuchKey);
    }
  } else {
    absl::StatusOr<std::vector<uint64_t>> found =
        FindKeys(*dataset.store, keys, threads, cancelled);
    if (!found.ok()) return found.status();
    indices = *std::move(found);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (indices[i] == kNoSuchKey) return NoSuchKey(dataset, i, keys[i]);
  }
  return indices;
}

std::string FingerprintsOf(const Dataset& dataset) {
  return absl::StrJoin(dataset.generations, ", ",
                       [](std::string* text, const auto& one) {
                         absl::StrAppend(text, Quoted(one->info().fingerprint));
                       });
}

}  // namespace

void AddGenerationTo(Dataset* dataset,
                     std::shared_ptr<const store::StoreReader> store,
                     uint32_t retain) {
  std::vector<std::shared_ptr<const store::StoreReader>>& all =
      dataset->generations;
  const auto is_it = [&store](const auto& other) {
    return other->info().fingerprint == store->info().fingerprint;
  };
  std::erase_if(all, is_it);
  if (!dataset->pinned || is_it(dataset->store)) dataset->store = store;
  all.insert(all.begin(), std::move(store));
  while (all.size() > retain) {
    const auto oldest =
        std::find_if(all.rbegin(), std::prev(all.rend()),
                     [&](const auto& one) { return one != dataset->store; });
    if (oldest == std::prev(all.rend())) return;
    all.erase(std::next(oldest).base());
  }
}

absl::Status CheckStore(const store::StoreReader& store) {
  const absl::Status intact = store::CheckIntact(store);
  if (intact.ok()) return intact;
  return WithReason(
      absl::UnavailableError(absl::StrCat(
          intact.message(), "; restore the file, or ask another replica")),
      kReasonStoreLost);
}

absl::Status UseGeneration(const std::string& field,
                           const std::string& fingerprint, Dataset* dataset) {
  if (!fingerprint.empty()) {
    const auto& all = dataset->generations;
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& one) {
          return one->info().fingerprint == fingerprint;
        });
    if (found == all.end()) {
      return WithReason(
          absl::UnavailableError(absl::StrCat(
              field, ": this server does not have dataset ",
              Quoted(dataset->name), " with fingerprint ", Quoted(fingerprint),
              "; it has ", FingerprintsOf(*dataset))),
          kReasonGenerationNotHere);
    }
    dataset->store = *found;
  }
  return CheckStore(*dataset->store);
}

absl::StatusOr<std::vector<uint64_t>> IndicesOf(
    const Dataset& dataset, const ResolvedView& view, const FetchPlan& plan,
    int threads, const std::function<bool()>& cancelled) {
  if (!plan.key_ids.empty()) {
    return IndicesOfKeys(dataset, plan.key_ids, threads, cancelled);
  }
  const bool by_rank = !plan.ranks.empty();
  const uint64_t size = by_rank ? view.size() : dataset.store->size();
  std::vector<uint64_t> indices = by_rank ? plan.ranks : plan.indices;
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] >= size) {
      return absl::InvalidArgumentError(absl::StrCat(
          by_rank ? "rank" : "index", "[", i, "]: ", indices[i],
          " is not below ", size, ", the number of drawings in the ",
          by_rank ? "view" : "dataset"));
    }
    if (by_rank) indices[i] = view.IndexOf(indices[i]);
  }
  return indices;
}

std::string SplitOf(const store::StoreReader& store, uint64_t index) {
  const int32_t split = store.SplitOf(index);
  return split < 0 ? "" : store.info().splits[split].name;
}

}  // namespace inkstream::batch

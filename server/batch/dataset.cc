#include "server/batch/dataset.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/batch/nearest_name.h"
#include "server/batch/status_reason.h"

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
    const Dataset& dataset, const std::vector<int64_t>& keys) {
  std::vector<uint64_t> indices;
  indices.reserve(keys.size());
  if (keys.size() <= kKeysWorthAScan) {
    for (size_t i = 0; i < keys.size(); ++i) {
      absl::StatusOr<uint64_t> index = dataset.store->FindKey(keys[i]);
      if (absl::IsNotFound(index.status())) {
        return NoSuchKey(dataset, i, keys[i]);
      }
      if (!index.ok()) return index.status();
      indices.push_back(*index);
    }
    return indices;
  }
  constexpr uint64_t kNowhere = std::numeric_limits<uint64_t>::max();
  std::unordered_map<int64_t, uint64_t> places;
  for (const int64_t key : keys) places.emplace(key, kNowhere);
  size_t missing = places.size();
  for (uint64_t i = 0; i < dataset.store->size() && missing > 0; ++i) {
    const auto found = places.find(dataset.store->KeyId(i));
    if (found == places.end() || found->second != kNowhere) continue;
    found->second = i;
    --missing;
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    indices.push_back(places.at(keys[i]));
    if (indices.back() == kNowhere) return NoSuchKey(dataset, i, keys[i]);
  }
  return indices;
}

}  // namespace

void AddGenerationTo(Dataset* dataset,
                     std::shared_ptr<const store::StoreReader> store,
                     uint32_t retain) {
  std::vector<std::shared_ptr<const store::StoreReader>>& others =
      dataset->others;
  others.insert(others.begin(), std::move(dataset->store));
  std::erase_if(others, [&](const auto& other) {
    return other->info().fingerprint == store->info().fingerprint;
  });
  dataset->store = std::move(store);
  if (others.size() + 1 > retain) others.resize(std::max(retain, 1U) - 1);
}

absl::Status UseGeneration(const std::string& field,
                           const std::string& fingerprint, Dataset* dataset) {
  const std::string& newest = dataset->store->info().fingerprint;
  if (fingerprint.empty() || fingerprint == newest) return absl::OkStatus();
  std::string here = Quoted(newest);
  for (const auto& other : dataset->others) {
    if (other->info().fingerprint == fingerprint) {
      dataset->store = other;
      return absl::OkStatus();
    }
    absl::StrAppend(&here, ", ", Quoted(other->info().fingerprint));
  }
  return WithReason(
      absl::UnavailableError(absl::StrCat(
          field, ": this server does not have dataset ", Quoted(dataset->name),
          " with fingerprint ", Quoted(fingerprint), "; it has ", here)),
      kReasonGenerationNotHere);
}

absl::StatusOr<std::vector<uint64_t>> IndicesOf(const Dataset& dataset,
                                                const ResolvedView& view,
                                                const FetchPlan& plan) {
  if (!plan.key_ids.empty()) return IndicesOfKeys(dataset, plan.key_ids);
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

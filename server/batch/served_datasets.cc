#include "server/batch/served_datasets.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/nearest_name.h"
#include "server/base/status_reason.h"
#include "server/batch/plan/plan_check.h"

namespace inkstream::batch {

absl::Status ServedDatasets::Add(
    const std::string& name, std::shared_ptr<const store::StoreReader> store) {
  absl::Status status = CheckDatasetName(name);
  if (!status.ok()) return status;
  const std::lock_guard<std::mutex> lock(mu_);
  const auto [place, added] = datasets_.try_emplace(name);
  if (!added) {
    return absl::AlreadyExistsError(
        absl::StrCat("dataset ", Quoted(name), " is served already, from ",
                     place->second.store->path(), "; give ", store->path(),
                     " another name: NAME=PATH"));
  }
  place->second = {name, store, {store}};
  return absl::OkStatus();
}

absl::Status ServedDatasets::AddGeneration(
    const std::string& name, std::shared_ptr<const store::StoreReader> store) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = datasets_.find(name);
  if (found == datasets_.end()) {
    return absl::NotFoundError(
        absl::StrCat("dataset: there is no ", Quoted(name)));
  }
  AddGenerationTo(&found->second, std::move(store), retain_);
  return absl::OkStatus();
}

absl::Status ServedDatasets::UseGenerations(
    const std::map<std::string, std::string>& fingerprints) {
  const std::lock_guard<std::mutex> lock(mu_);
  std::map<std::string, Dataset> datasets = datasets_;
  for (auto& [name, dataset] : datasets) {
    dataset.pinned = false;
    dataset.store = dataset.generations.front();
  }
  for (const auto& [name, fingerprint] : fingerprints) {
    const auto found = datasets.find(name);
    if (found == datasets.end()) {
      std::vector<std::string> names;
      for (const auto& [served, dataset] : datasets) names.push_back(served);
      return absl::NotFoundError(absl::StrCat(
          "there is no dataset ", Quoted(name), NearestHint(name, names)));
    }
    found->second.pinned = true;
    const absl::Status here =
        UseGeneration("fingerprint", fingerprint, &found->second);
    // What is lost stays what was asked for, until it is whole again.
    if (ReasonOf(here) == kReasonGenerationNotHere) return here;
  }
  datasets_ = std::move(datasets);
  return absl::OkStatus();
}

std::vector<std::string> ServedDatasets::names() const {
  const std::lock_guard<std::mutex> lock(mu_);
  std::vector<std::string> names;
  for (const auto& [name, dataset] : datasets_) names.push_back(name);
  return names;
}

std::vector<ServedStore> ServedDatasets::stores() const {
  const std::lock_guard<std::mutex> lock(mu_);
  std::vector<ServedStore> stores;
  for (const auto& [name, dataset] : datasets_) {
    stores.push_back({name, dataset.store,
                      std::string(CheckStore(*dataset.store).message())});
  }
  return stores;
}

absl::StatusOr<Dataset> ServedDatasets::Find(const std::string& name,
                                             const std::string& fingerprint,
                                             const char* field) const {
  const std::lock_guard<std::mutex> lock(mu_);
  const bool only = name.empty() && datasets_.size() == 1;
  const auto found = only ? datasets_.begin() : datasets_.find(name);
  if (found != datasets_.end()) {
    Dataset dataset = found->second;
    const absl::Status here = UseGeneration(field, fingerprint, &dataset);
    if (!here.ok()) return here;
    return dataset;
  }
  std::vector<std::string> names;
  for (const auto& [served, dataset] : datasets_) names.push_back(served);
  if (name.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("dataset: not set, and this server has ", names.size(),
                     NearestHint(name, names)));
  }
  return absl::NotFoundError(absl::StrCat("dataset: there is no ", Quoted(name),
                                          NearestHint(name, names)));
}

}  // namespace inkstream::batch

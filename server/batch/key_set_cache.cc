#include "server/batch/key_set_cache.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/batch/nearest_name.h"
#include "server/batch/status_reason.h"

namespace inkstream::batch {

absl::StatusOr<std::shared_ptr<const KeySet>> KeySetCache::Add(
    std::vector<int64_t> keys) {
  if (keys.empty()) {
    return absl::InvalidArgumentError("key_id: no keys; give at least one");
  }
  if (keys.size() > max_keys()) {
    return absl::InvalidArgumentError(
        absl::StrCat("key_id: ", keys.size(), " keys; at most ", max_keys(),
                     " a set on this server"));
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "key_id[", i, "]: ", keys[i], " is no key; keys are 1..2^63-1"));
  }
  auto added = std::make_shared<const KeySet>(std::move(keys));
  const std::lock_guard<std::mutex> lock(mu_);
  const auto same = std::find_if(
      sets_.begin(), sets_.end(),
      [&](const auto& set) { return set->hash() == added->hash(); });
  if (same != sets_.end()) {
    sets_.splice(sets_.begin(), sets_, same);
    return sets_.front();
  }
  bytes_ += added->bytes();
  sets_.push_front(added);
  while (bytes_ > budget_bytes_ && sets_.size() > 1) {
    bytes_ -= sets_.back()->bytes();
    sets_.pop_back();
  }
  return added;
}

absl::StatusOr<std::shared_ptr<const KeySet>> KeySetCache::Get(
    const std::string& field, const std::string& hash) {
  if (hash.empty()) return nullptr;
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found =
      std::find_if(sets_.begin(), sets_.end(),
                   [&](const auto& set) { return set->hash() == hash; });
  if (found == sets_.end()) {
    return WithReason(
        absl::NotFoundError(absl::StrCat(
            field, ": this server does not have the key set ", Quoted(hash),
            " (any more); upload it with UploadKeys and ask again")),
        kReasonKeysNotHere);
  }
  sets_.splice(sets_.begin(), sets_, found);
  return sets_.front();
}

size_t KeySetCache::bytes() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return bytes_;
}

}  // namespace inkstream::batch

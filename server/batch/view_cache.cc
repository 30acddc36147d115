#include "server/batch/view_cache.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::batch {
namespace {

// Lengths go before the words, so that no two views have the same key.
std::string KeyOf(const store::StoreReader& store, const View& view) {
  std::string key =
      absl::StrCat(store.info().fingerprint, ":", store.info().generation, ":",
                   view.split.size(), ":", view.split);
  for (const std::string& word : view.classes) {
    absl::StrAppend(&key, ":", word.size(), ":", word);
  }
  return key;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ResolvedView>> ViewCache::Get(
    const store::StoreReader& store, const View& view) {
  const std::string key = KeyOf(store, view);
  {
    std::unique_lock<std::mutex> lock(mu_);
    built_.wait(lock, [&] { return !building_.contains(key); });
    if (std::shared_ptr<const ResolvedView> found = Find(key)) return found;
    building_.insert(key);
  }
  absl::StatusOr<std::shared_ptr<const ResolvedView>> made =
      ResolvedView::Create(store, view, scan_threads_);
  {
    const std::lock_guard<std::mutex> lock(mu_);
    building_.erase(key);
    if (made.ok()) Keep(key, *made);
  }
  built_.notify_all();
  return made;
}

size_t ViewCache::bytes() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return bytes_;
}

std::shared_ptr<const ResolvedView> ViewCache::Find(const std::string& key) {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(),
                   [&](const Entry& entry) { return entry.key == key; });
  if (found == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found);
  return entries_.front().view;
}

void ViewCache::Keep(const std::string& key,
                     std::shared_ptr<const ResolvedView> view) {
  bytes_ += view->bytes();
  entries_.push_front({key, std::move(view)});
  while (bytes_ > budget_bytes_ && !entries_.empty()) {
    bytes_ -= entries_.back().view->bytes();
    entries_.pop_back();
  }
}

}  // namespace inkstream::batch

#include "server/batch/view_cache.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "server/batch/status_reason.h"

namespace inkstream::batch {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(5);

// Lengths go before the words, so that no two views have the same key.
void Append(std::string* key, const std::string& word) {
  absl::StrAppend(key, ":", word.size(), ":", word);
}

std::string KeyOf(const store::StoreReader& store, const View& view) {
  std::string key =
      absl::StrCat(store.info().fingerprint, ":", store.info().generation);
  Append(&key, view.split);
  Append(&key, view.include_keys);
  Append(&key, view.exclude_keys);
  absl::StrAppendFormat(&key, ":%d:%.17g", view.max_per_class, view.fraction);
  if (view.fold.has_value()) {
    absl::StrAppend(&key, ":", view.fold->index, "/", view.fold->count,
                    view.fold->held_out ? "-" : "+");
  }
  absl::StrAppend(&key, ":", view.classes.size());
  for (const std::string& word : view.classes) Append(&key, word);
  for (const WhereTerm& term : view.where) {
    Append(&key, term.column);
    absl::StrAppend(&key, ":", static_cast<int>(term.op), ":",
                    term.values.size());
    for (const std::string& value : term.values) Append(&key, value);
  }
  return key;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ResolvedView>> ViewCache::Get(
    const store::StoreReader& store, const View& view) {
  ViewInputs inputs;
  inputs.threads = scan_threads_;
  absl::StatusOr<std::shared_ptr<const KeySet>> include =
      key_sets_.Get("view.include_keys", view.include_keys);
  absl::StatusOr<std::shared_ptr<const KeySet>> exclude =
      key_sets_.Get("view.exclude_keys", view.exclude_keys);
  inputs.admit = [this](size_t bytes) { return Admit(bytes); };
  inputs.sizes = [&] {
    return Share<SizeColumns>(
        absl::StrCat("sizes:", store.info().fingerprint),
        [&]() -> absl::StatusOr<std::shared_ptr<const SizeColumns>> {
          absl::Status status = Admit(SizeColumns::BytesOf(store.size()));
          if (!status.ok()) return status;
          return SizeColumns::Count(store, scan_threads_);
        });
  };
  return Share<ResolvedView>(
      KeyOf(store, view),
      [&]() -> absl::StatusOr<std::shared_ptr<const ResolvedView>> {
        // A view that is there already does not need its key sets any more.
        if (!include.ok()) return include.status();
        if (!exclude.ok()) return exclude.status();
        inputs.include = *include;
        inputs.exclude = *exclude;
        return ResolvedView::Create(store, view, inputs);
      });
}

absl::StatusOr<std::shared_ptr<const ResolvedView>> ViewCache::GetWithin(
    const store::StoreReader& store, const View& outer, const View& inner) {
  using Resolved = absl::StatusOr<std::shared_ptr<const ResolvedView>>;
  return Share<ResolvedView>(
      absl::StrCat(KeyOf(store, outer), "&", KeyOf(store, inner)),
      [&]() -> Resolved {
        Resolved large = Get(store, outer);
        if (!large.ok()) return large;
        Resolved small = Get(store, inner);
        if (!small.ok()) return small;
        absl::Status status = Admit(RankSelect::BytesOf(store.size()));
        if (!status.ok()) return status;
        return ResolvedView::Within(store, **large, **small);
      });
}

absl::StatusOr<std::shared_ptr<const ClassIndex>> ViewCache::GetClasses(
    const store::StoreReader& store, const View& view) {
  return Share<ClassIndex>(
      absl::StrCat("classes:", KeyOf(store, view)),
      [&]() -> absl::StatusOr<std::shared_ptr<const ClassIndex>> {
        absl::StatusOr<std::shared_ptr<const ResolvedView>> resolved =
            Get(store, view);
        if (!resolved.ok()) return resolved.status();
        absl::Status status = Admit(ClassIndex::BytesOf(store, **resolved));
        if (!status.ok()) return status;
        return std::make_shared<const ClassIndex>(store, **resolved,
                                                  scan_threads_);
      });
}

template <typename Item, typename Make>
absl::StatusOr<std::shared_ptr<const Item>> ViewCache::Share(
    const std::string& key, const Make& make) {
  {
    std::unique_lock<std::mutex> lock(mu_);
    built_.wait(lock, [&] { return !building_.contains(key); });
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
      if (std::shared_ptr<const void> item = found->second.alive.lock()) {
        found->second.item = item;
        Touch(key);
        return std::static_pointer_cast<const Item>(item);
      }
    }
    building_.insert(key);
  }
  absl::StatusOr<std::shared_ptr<const Item>> made = make();
  {
    const std::lock_guard<std::mutex> lock(mu_);
    building_.erase(key);
    if (made.ok()) {
      entries_[key] = {*made, *made, (*made)->bytes()};
      promised_ -= std::min(promised_, (*made)->bytes());
      Touch(key);
    }
    if (building_.empty()) promised_ = 0;
  }
  built_.notify_all();
  return made;
}

absl::Status ViewCache::Admit(size_t bytes) {
  const std::lock_guard<std::mutex> lock(mu_);
  while (BytesAlive() + promised_ + bytes > budget_bytes_ && !recent_.empty()) {
    entries_[recent_.back()].item.reset();
    recent_.pop_back();
  }
  std::erase_if(entries_,
                [](const auto& entry) { return entry.second.alive.expired(); });
  const size_t in_use = BytesAlive() + promised_;
  if (in_use + bytes <= budget_bytes_) {
    promised_ += bytes;
    return absl::OkStatus();
  }
  return WithRetryDelay(
      WithReason(
          absl::ResourceExhaustedError(absl::StrCat(
              "view: it takes ", bytes, " bytes; views in use take ", in_use,
              " of the ", budget_bytes_,
              " bytes that this server keeps for views (5 % of its memory)")),
          kReasonViewMemory),
      kRetryDelay);
}

size_t ViewCache::bytes() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return BytesAlive();
}

size_t ViewCache::BytesAlive() const {
  size_t bytes = 0;
  for (const auto& [key, entry] : entries_) {
    if (!entry.alive.expired()) bytes += entry.bytes;
  }
  return bytes;
}

void ViewCache::Touch(const std::string& key) {
  recent_.remove(key);
  recent_.push_front(key);
}

}  // namespace inkstream::batch

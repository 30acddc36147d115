#include "server/batch/view/view_cache.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "server/base/nearest_name.h"
#include "server/base/status_reason.h"
#include "server/batch/dataset.h"
#include "server/batch/work/caller_sums.h"
#include "server/order/order_plan.h"

namespace inkstream::batch {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(5);

// Lengths go before the words, so that no two views have the same key.
void Append(std::string* key, const std::string& word) {
  absl::StrAppend(key, ":", word.size(), ":", word);
}

// What a view costs beside its item: the key, twice, and its places.
constexpr size_t kEntryBytes = 256;

// As long as a hash, whatever the view lists.
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
  return order::OrderPlanHash(key);
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
  inputs.sizes = [&] {
    return Share<SizeColumns>(
        store, absl::StrCat("sizes:", store.info().fingerprint),
        [&](Promised* promised)
            -> absl::StatusOr<std::shared_ptr<const SizeColumns>> {
          absl::Status status =
              Admit(SizeColumns::BytesOf(store.size()), promised);
          if (!status.ok()) return status;
          return SizeColumns::Count(store, scan_threads_);
        });
  };
  return Share<ResolvedView>(
      store, KeyOf(store, view),
      [&](Promised* promised)
          -> absl::StatusOr<std::shared_ptr<const ResolvedView>> {
        // A view that is there already does not need its key sets any more.
        if (!include.ok()) return include.status();
        if (!exclude.ok()) return exclude.status();
        inputs.include = *include;
        inputs.exclude = *exclude;
        inputs.admit = [&](size_t bytes) { return Admit(bytes, promised); };
        return ResolvedView::Create(store, view, inputs);
      });
}

absl::StatusOr<std::shared_ptr<const ResolvedView>> ViewCache::GetWithin(
    const store::StoreReader& store, const View& outer, const View& inner) {
  using Resolved = absl::StatusOr<std::shared_ptr<const ResolvedView>>;
  return Share<ResolvedView>(
      store, absl::StrCat(KeyOf(store, outer), "&", KeyOf(store, inner)),
      [&](Promised* promised) -> Resolved {
        Resolved large = Get(store, outer);
        if (!large.ok()) return large;
        Resolved small = Get(store, inner);
        if (!small.ok()) return small;
        absl::Status status =
            Admit(RankSelect::BytesOf(store.size()), promised);
        if (!status.ok()) return status;
        return ResolvedView::Within(store, **large, **small);
      });
}

absl::StatusOr<std::shared_ptr<const ClassIndex>> ViewCache::GetClasses(
    const store::StoreReader& store, const View& view) {
  return Share<ClassIndex>(
      store, absl::StrCat("classes:", KeyOf(store, view)),
      [&](Promised* promised)
          -> absl::StatusOr<std::shared_ptr<const ClassIndex>> {
        absl::StatusOr<std::shared_ptr<const ResolvedView>> resolved =
            Get(store, view);
        if (!resolved.ok()) return resolved.status();
        absl::Status status =
            Admit(ClassIndex::BytesOf(store, **resolved), promised);
        if (!status.ok()) return status;
        return std::make_shared<const ClassIndex>(store, **resolved,
                                                  scan_threads_);
      });
}

absl::StatusOr<std::shared_ptr<const WeightedDrawings>> ViewCache::GetWeighted(
    const store::StoreReader& store, const View& view,
    const std::string& hash) {
  using Weighted = absl::StatusOr<std::shared_ptr<const WeightedDrawings>>;
  std::string key = absl::StrCat("weights:", KeyOf(store, view));
  Append(&key, hash);
  const absl::StatusOr<std::shared_ptr<const WeightSet>> set =
      key_sets_.GetWeights("order.sampling.drawings.weights", hash);
  if (!set.ok() && hash.empty()) return set.status();
  return Share<WeightedDrawings>(
      store, key, [&](Promised* promised) -> Weighted {
        // What is there already does not need its set any more.
        if (!set.ok()) return set.status();
        absl::StatusOr<std::shared_ptr<const ResolvedView>> resolved =
            Get(store, view);
        if (!resolved.ok()) return resolved.status();
        return WeightedDrawings::Create(
            store, **resolved, **set, scan_threads_,
            [&](size_t bytes) { return Admit(bytes, promised); });
      });
}

template <typename Item, typename Make>
absl::StatusOr<std::shared_ptr<const Item>> ViewCache::Share(
    const store::StoreReader& store, const std::string& key, const Make& make) {
  const std::string caller = CurrentCaller();
  {
    std::unique_lock<std::mutex> lock(mu_);
    for (;;) {
      if (Entry* const found = entries_.Find(key)) {
        const auto own = found->held.find(caller);
        if (found->bytes > kEntryBytes &&
            (own == found->held.end() || own->second.expired()) &&
            !IsOfItsShare(caller, found->bytes)) {
          return NoMemory(caller, found->bytes);
        }
        ++lookups_.hits;
        return std::static_pointer_cast<const Item>(HandOut(caller, found));
      }
      const auto building = building_.find(key);
      if (building == building_.end()) break;
      if (std::shared_ptr<ParkedRequest> request = CurrentRequest()) {
        building->second.push_back(std::move(request));
        return ParkedStatus();
      }
      built_.wait(lock);
    }
    building_[key];
    ++lookups_.misses;
  }
  Promised promised = 0;
  absl::StatusOr<std::shared_ptr<const Item>> made = make(&promised);
  if (absl::Status read = CheckStore(store); !read.ok()) made = std::move(read);
  std::vector<std::shared_ptr<ParkedRequest>> parked;
  std::vector<std::shared_ptr<const void>> gone;  // freed without the lock
  {
    const std::lock_guard<std::mutex> lock(mu_);
    const auto building = building_.find(key);
    parked = std::move(building->second);
    building_.erase(building);
    promised_ -= promised;
    held_->GiveBack(caller, promised);
    if (made.ok()) {
      const size_t bytes = (*made)->bytes() + kEntryBytes;
      Entry* const entry = entries_.Put(key, {*std::move(made), bytes, {}});
      made = std::static_pointer_cast<const Item>(HandOut(caller, entry));
      bytes_ += bytes;
      // Of a view that keeps no drawings, nothing was admitted.
      MakeRoom(0, &gone);
    }
  }
  built_.notify_all();
  for (const auto& request : parked) request->Resume();
  return made;
}

std::shared_ptr<const void> ViewCache::HandOut(const std::string& caller,
                                               Entry* entry) {
  if (caller.empty()) return entry->item;
  std::weak_ptr<const void>& own = entry->held[caller];
  if (std::shared_ptr<const void> held = own.lock()) return held;
  held_->Take(caller, entry->bytes);
  // The item is let go of here: what tells how much is held stays longer.
  const std::shared_ptr<const void> held(
      entry->item.get(), [item = entry->item, held = held_, caller,
                          bytes = entry->bytes](const void*) mutable {
        item.reset();
        held->GiveBack(caller, bytes);
      });
  own = held;
  std::erase_if(entry->held,
                [](const auto& other) { return other.second.expired(); });
  return held;
}

bool ViewCache::IsOfItsShare(const std::string& caller, size_t bytes) const {
  return caller.empty() ||
         held_->Of(caller) + bytes <= CallerShare(budget_bytes_);
}

absl::Status ViewCache::Admit(size_t bytes, Promised* promised) {
  const std::string caller = CurrentCaller();
  std::vector<std::shared_ptr<const void>> gone;  // freed without the lock
  const std::lock_guard<std::mutex> lock(mu_);
  if (IsOfItsShare(caller, bytes)) MakeRoom(bytes, &gone);
  if (!IsOfItsShare(caller, bytes) ||
      bytes_ + promised_ + bytes > budget_bytes_) {
    return NoMemory(caller, bytes);
  }
  promised_ += bytes;
  held_->Take(caller, bytes);
  *promised += bytes;
  return absl::OkStatus();
}

absl::Status ViewCache::NoMemory(const std::string& caller,
                                 size_t bytes) const {
  return WithRetryDelay(
      WithReason(
          absl::ResourceExhaustedError(absl::StrCat(
              "view: it takes ", bytes, " bytes; views in use take ",
              bytes_ + promised_, ", ", held_->Of(caller), " of them for ",
              Quoted(caller), ", of the ", budget_bytes_,
              " bytes that are kept for views (5 % of a server's memory, "
              "seven eighths of that for one caller; a quarter of open()'s)")),
          kReasonViewMemory),
      kRetryDelay);
}

void ViewCache::MakeRoom(size_t bytes,
                         std::vector<std::shared_ptr<const void>>* gone) {
  entries_.GiveUp(
      [&] { return bytes_ + promised_ + bytes <= budget_bytes_; },
      [](const Entry& entry) { return entry.item.use_count() == 1; },
      [&](Entry entry) {
        bytes_ -= entry.bytes;
        gone->push_back(std::move(entry.item));
      });
}

Lookups ViewCache::lookups() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return lookups_;
}

size_t ViewCache::bytes() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return bytes_;
}

}  // namespace inkstream::batch

// Resolved views, shared between all streams of the same view.
//
// A view is kept while it is used, and after that for as long as the budget
// has room, the most recently used ones first. Two requests for a view that is
// not there yet share one scan. What is in use never exceeds the budget, and
// what one caller's requests (parked_request.h) use not its share
// (caller_sums.h): a view that would is refused.
//
// A request that meets the scan of another one is parked under the view and
// holds no thread: it gets IsParked(), and is run again.
//
// Thread safety: every method may be called from any thread; Get may take as
// long as one scan of the store.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/view.h"
#include "server/batch/view/class_index.h"
#include "server/batch/view/key_set_cache.h"
#include "server/batch/view/resolved_view.h"
#include "server/batch/view/size_columns.h"
#include "server/batch/view/weighted_drawings.h"
#include "server/batch/work/held_bytes.h"
#include "server/batch/work/lru_map.h"
#include "server/batch/work/parked_request.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

class ViewCache {
 public:
  // A quarter of the budget is for uploaded key sets.
  ViewCache(size_t budget_bytes, int scan_threads)
      : budget_bytes_(budget_bytes),
        scan_threads_(scan_threads),
        key_sets_(budget_bytes / 4) {}

  // NOT_FOUND with reason KEYS_NOT_HERE: a key set must be uploaded first.
  // RESOURCE_EXHAUSTED with reason VIEW_MEMORY: too many views are in use.
  absl::StatusOr<std::shared_ptr<const ResolvedView>> Get(
      const store::StoreReader& store, const View& view);

  // What both views have, with the labels of `outer`; its order_view() is that
  // of `inner` as it is resolved, with the size of both together.
  absl::StatusOr<std::shared_ptr<const ResolvedView>> GetWithin(
      const store::StoreReader& store, const View& outer, const View& inner);

  // The view's drawings by class.
  absl::StatusOr<std::shared_ptr<const ClassIndex>> GetClasses(
      const store::StoreReader& store, const View& view);

  // The view's drawings that have a weight in the set `hash`. Errors as Get(),
  // and as WeightedDrawings::Create().
  absl::StatusOr<std::shared_ptr<const WeightedDrawings>> GetWeighted(
      const store::StoreReader& store, const View& view,
      const std::string& hash);

  KeySetCache& key_sets() { return key_sets_; }

  // One a request for a view, or for what belongs to it.
  Lookups lookups() const;

  // Memory of views and sizes, kept or in use.
  size_t bytes() const;

 private:
  struct Entry {
    std::shared_ptr<const void> item;
    size_t bytes = 0;
    // What each caller holds of it.
    std::map<std::string, std::weak_ptr<const void>> held;
  };
  // What one making of an item was promised.
  using Promised = size_t;

  // The item under `key`, made by `make` where there is none. One request makes
  // it; others are parked, or wait where they cannot be.
  template <typename Item, typename Make>
  absl::StatusOr<std::shared_ptr<const Item>> Share(
      const store::StoreReader& store, const std::string& key,
      const Make& make);
  // The item, which counts as the caller's until it is let go of. With mu_
  // held.
  std::shared_ptr<const void> HandOut(const std::string& caller, Entry* entry);
  // Whether the caller may hold so many bytes more.
  bool IsOfItsShare(const std::string& caller, size_t bytes) const;
  absl::Status NoMemory(const std::string& caller, size_t bytes) const;
  // Forgets what nobody uses, the least recently used first, until `bytes`
  // more fit.
  absl::Status Admit(size_t bytes, Promised* promised);
  // Likewise, as far as that goes, with mu_ held; `gone` is to be freed later.
  void MakeRoom(size_t bytes, std::vector<std::shared_ptr<const void>>* gone);

  const size_t budget_bytes_;
  const int scan_threads_;
  KeySetCache key_sets_;
  mutable std::mutex mu_;  // guards everything below
  std::condition_variable built_;
  LruMap<std::string, Entry> entries_;
  size_t bytes_ = 0;  // of entries_
  // By callers, or promised to them; what is handed out may outlive this.
  const std::shared_ptr<HeldBytes> held_ = std::make_shared<HeldBytes>();
  Lookups lookups_;
  // Keys of what is being made, and who is resumed then.
  std::map<std::string, std::vector<std::shared_ptr<ParkedRequest>>> building_;
  size_t promised_ = 0;  // bytes admitted and not yet in entries_
};

}  // namespace inkstream::batch

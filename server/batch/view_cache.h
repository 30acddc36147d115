// Resolved views, shared between all streams of the same view.
//
// Views in use are held by their users; the cache keeps others for later while
// they fit its budget, the most recently used first. Two requests for a view
// that is not there yet share one scan.
//
// Thread safety: every method may be called from any thread; Get may take as
// long as one scan of the store.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "inkstream/plan.h"
#include "server/batch/resolved_view.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

class ViewCache {
 public:
  ViewCache(size_t budget_bytes, int scan_threads)
      : budget_bytes_(budget_bytes), scan_threads_(scan_threads) {}

  absl::StatusOr<std::shared_ptr<const ResolvedView>> Get(
      const store::StoreReader& store, const View& view);

  // Memory of the views that are kept.
  size_t bytes() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const ResolvedView> view;
  };

  std::shared_ptr<const ResolvedView> Find(const std::string& key);
  void Keep(const std::string& key, std::shared_ptr<const ResolvedView> view);

  const size_t budget_bytes_;
  const int scan_threads_;
  mutable std::mutex mu_;
  std::condition_variable built_;
  std::list<Entry> entries_;        // most recently used first
  std::set<std::string> building_;  // keys being scanned for
  size_t bytes_ = 0;
};

}  // namespace inkstream::batch

// Which drawings of a store a view has: one pass over the columns it names.
//
// Columns are read in chunks of 4,096 values and tested 64 at a time, so that
// what is left out early is not looked at again.
//
// Thread safety: pure functions; the store and the filter are only read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "server/batch/view/key_set.h"
#include "server/batch/view/size_columns.h"
#include "server/batch/view/split_slice.h"
#include "server/batch/view/where_filter.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

// A view, compiled against one store.
struct ViewFilter : HashFilter {
  std::vector<int32_t> labels;  // by store label, -1: left out; empty: all stay
  size_t classes = 0;           // of the view
  std::vector<CompiledTerm> terms;
  std::shared_ptr<const SizeColumns> sizes;  // where a term needs them
  std::shared_ptr<const KeySet> include;     // null: no such term
  std::shared_ptr<const KeySet> exclude;
  uint64_t max_per_class = 0;  // 0: no bound

  // Whether it leaves out nothing.
  bool everything() const;
};

struct ScannedView {
  std::vector<uint64_t> words;         // bit i % 64 of word i / 64: drawing i
  std::vector<uint64_t> class_counts;  // by label in the view
};

ScannedView ScanView(const store::StoreReader& store, const ViewFilter& filter,
                     int threads);

}  // namespace inkstream::batch

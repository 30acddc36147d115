#include "server/batch/view/view_scan.h"

#include <algorithm>
#include <array>
#include <bit>

#include "absl/types/span.h"
#include "server/batch/view/class_cap.h"
#include "server/batch/view/scan_threads.h"
#include "server/order/sample_hash.h"

namespace inkstream::batch {
namespace {

// One thread's scan, a chunk at a time.
class ChunkScan {
 public:
  ChunkScan(const store::StoreReader& store, const ViewFilter& filter)
      : store_(store), filter_(filter), counts_(filter.classes) {}

  // Fills `mask`, a word for every 64 drawings of [first, first + count).
  void Run(uint64_t first, size_t count, absl::Span<uint64_t> mask) {
    first_ = first;
    values_ = absl::MakeSpan(buffer_.data(), count);
    for (size_t w = 0; w < mask.size(); ++w) {
      const size_t here = count - 64 * w;
      mask[w] = here >= 64 ? ~uint64_t{0} : (uint64_t{1} << here) - 1;
    }
    ByHash(mask);
    if (filter_.split.has_value()) {
      Clear(mask, [&](size_t i) {
        return store_.InSplit(*filter_.split, first_ + i);
      });
    }
    for (const CompiledTerm& term : filter_.terms) {
      if (Empty(mask)) return;
      Read(term.column);
      term.accepted.ClearOthers(values_, mask);
    }
    if (!Empty(mask)) ByKey(mask);
    if (!Empty(mask)) ByLabel(mask);
  }

  const std::vector<uint64_t>& counts() const { return counts_; }

 private:
  static bool Empty(absl::Span<const uint64_t> mask) {
    return std::all_of(mask.begin(), mask.end(),
                       [](uint64_t word) { return word == 0; });
  }

  // Clears the bits of drawings that fail `test(place in the chunk)`.
  template <typename Test>
  static void Clear(absl::Span<uint64_t> mask, const Test& test) {
    for (size_t w = 0; w < mask.size(); ++w) {
      for (uint64_t rest = mask[w]; rest != 0; rest &= rest - 1) {
        const int bit = std::countr_zero(rest);
        if (!test(64 * w + bit)) mask[w] &= ~(uint64_t{1} << bit);
      }
    }
  }

  void Read(WhereColumn column) {
    using store::StoreColumn;
    switch (column) {
      case WhereColumn::kLabel:
        return store_.ReadColumn(StoreColumn::kLabel, first_, values_);
      case WhereColumn::kKeyId:
        return store_.ReadColumn(StoreColumn::kKeyId, first_, values_);
      case WhereColumn::kTimestamp:
        return store_.ReadColumn(StoreColumn::kTimestamp, first_, values_);
      case WhereColumn::kRecognized:
        return store_.ReadColumn(StoreColumn::kRecognized, first_, values_);
      case WhereColumn::kCountrycode:
        return store_.ReadColumn(StoreColumn::kCountrycode, first_, values_);
      case WhereColumn::kIndex:
        return Compute([](uint64_t i) { return i; });
      case WhereColumn::kStrokes:
        return Compute([&](uint64_t i) { return filter_.sizes->strokes(i); });
      case WhereColumn::kPoints:
        return Compute([&](uint64_t i) { return filter_.sizes->points(i); });
    }
  }

  template <typename Value>
  void Compute(const Value& value) {
    for (size_t i = 0; i < values_.size(); ++i) {
      values_[i] = static_cast<int64_t>(value(first_ + i));
    }
  }

  void ByHash(absl::Span<uint64_t> mask) {
    const bool sampled = filter_.last_sample != ~uint64_t{0};
    if (filter_.hashes.everything() && filter_.fold_out.empty && !sampled) {
      return;
    }
    store_.ReadColumn(store::StoreColumn::kSplitHash, first_, values_);
    for (size_t w = 0; w < mask.size(); ++w) {
      uint64_t word = 0;
      const size_t count = std::min<size_t>(64, values_.size() - 64 * w);
      for (size_t i = 0; i < count; ++i) {
        const uint64_t hash = static_cast<uint64_t>(values_[64 * w + i]);
        const uint64_t order =
            filter_.by_sample ? order::SampleHash(~hash) : hash;
        const bool in = filter_.hashes.Contains(order) &&
                        !filter_.fold_out.Contains(order) &&
                        order::SampleHash(hash) <= filter_.last_sample;
        word |= static_cast<uint64_t>(in) << i;
      }
      mask[w] &= word;
    }
  }

  void ByKey(absl::Span<uint64_t> mask) {
    const KeySet* const include = filter_.include.get();
    const KeySet* const exclude = filter_.exclude.get();
    if (include == nullptr && exclude == nullptr) return;
    Read(WhereColumn::kKeyId);
    Clear(mask, [&](size_t i) {
      return (include == nullptr || include->Contains(values_[i])) &&
             (exclude == nullptr || !exclude->Contains(values_[i]));
    });
  }

  void ByLabel(absl::Span<uint64_t> mask) {
    Read(WhereColumn::kLabel);
    Clear(mask, [&](size_t i) {
      const int64_t store_label = values_[i];
      const int32_t label = filter_.labels.empty() || store_label < 0
                                ? static_cast<int32_t>(store_label)
                                : filter_.labels[store_label];
      if (label < 0) return filter_.labels.empty();
      ++counts_[label];
      return true;
    });
  }

  const store::StoreReader& store_;
  const ViewFilter& filter_;
  std::vector<uint64_t> counts_;
  std::array<int64_t, kScanChunk> buffer_;
  uint64_t first_ = 0;
  absl::Span<int64_t> values_;
};

}  // namespace

bool ViewFilter::everything() const {
  return !split.has_value() && hashes.everything() && fold_out.empty &&
         last_sample == ~uint64_t{0} && labels.empty() && terms.empty() &&
         include == nullptr && exclude == nullptr && max_per_class == 0;
}

ScannedView ScanView(const store::StoreReader& store, const ViewFilter& filter,
                     int threads) {
  const uint64_t drawings = store.size();
  const uint64_t parts = ChunkParts(drawings, threads);
  ScannedView view;
  view.words.resize((drawings + 63) / 64);
  std::vector<std::unique_ptr<ChunkScan>> scans(parts);
  ScanChunks(drawings, parts, [&](uint64_t part) {
    scans[part] = std::make_unique<ChunkScan>(store, filter);
    return [&view, scan = scans[part].get()](uint64_t first, uint64_t count) {
      scan->Run(
          first, count,
          absl::MakeSpan(view.words).subspan(first / 64, (count + 63) / 64));
    };
  });
  view.class_counts.resize(filter.classes);
  for (const std::unique_ptr<ChunkScan>& scan : scans) {
    for (size_t c = 0; c < filter.classes; ++c) {
      view.class_counts[c] += scan->counts()[c];
    }
  }
  if (filter.max_per_class > 0) {
    CapClasses(store, filter.labels, filter.max_per_class, threads, &view);
  }
  return view;
}

}  // namespace inkstream::batch

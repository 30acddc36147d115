#include "server/batch/view/class_cap.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/types/span.h"
#include "server/batch/view/scan_threads.h"
#include "server/order/sample_hash.h"

namespace inkstream::batch {
namespace {

constexpr int kBinBits = 10;
constexpr uint64_t kBins = 1U << kBinBits;
constexpr int kMostThreads = 16;  // each has a histogram of its own

// Hash first, then the place in the store: no two drawings are equal.
using Rank = std::pair<uint64_t, uint64_t>;

uint64_t BinOf(uint64_t hash) { return hash >> (64 - kBinBits); }

// Where a group is cut: bins before `bin` stay, and `wanted` drawings of it.
struct Cut {
  uint64_t bin = kBins;
  uint64_t wanted = 0;
};

class Cap {
 public:
  Cap(const store::StoreReader& store, const std::vector<int32_t>& labels,
      int threads, ScannedView* view)
      : store_(store),
        labels_(labels),
        view_(view),
        groups_(view->class_counts.size() + 1),
        parts_(ChunkParts(store.size(), std::min(threads, kMostThreads))) {}

  void Apply(uint64_t most) {
    if (!AnyAbove(most)) return;
    const std::vector<Cut> cuts = Cuts(most);
    // Of the bins that are cut through, by part.
    std::vector<std::vector<std::pair<size_t, Rank>>> edges(parts_);
    ForEach([&](uint64_t part, size_t group, uint64_t hash, uint64_t index) {
      const uint64_t bin = BinOf(hash);
      if (bin < cuts[group].bin) return;
      if (bin > cuts[group].bin) {
        Remove(index);
      } else {
        edges[part].emplace_back(group, Rank{hash, index});
      }
    });
    std::vector<std::vector<Rank>> ranks(groups_);
    for (const auto& part : edges) {
      for (const auto& [group, rank] : part) ranks[group].push_back(rank);
    }
    for (size_t g = 0; g < groups_; ++g) {
      std::sort(ranks[g].begin(), ranks[g].end());
      for (size_t i = cuts[g].wanted; i < ranks[g].size(); ++i) {
        Remove(ranks[g][i].second);
      }
    }
    for (uint64_t& count : view_->class_counts) count = std::min(count, most);
  }

 private:
  bool AnyAbove(uint64_t most) const {
    uint64_t unlabelled = 0;
    for (const uint64_t word : view_->words) unlabelled += std::popcount(word);
    for (const uint64_t count : view_->class_counts) {
      if (count > most) return true;
      unlabelled -= count;
    }
    return unlabelled > most;
  }

  // Calls visit(part, group, hash, index) for every drawing of the view.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    ScanChunks(store_.size(), parts_, [&](uint64_t part) {
      return [&, part, hashes = std::vector<int64_t>(kScanChunk),
              classes = std::vector<int64_t>(kScanChunk)](
                 uint64_t first, uint64_t count) mutable {
        store_.ReadColumn(store::StoreColumn::kSplitHash, first,
                          absl::MakeSpan(hashes.data(), count));
        store_.ReadColumn(store::StoreColumn::kLabel, first,
                          absl::MakeSpan(classes.data(), count));
        for (size_t at = 0; at < count; at += 64) {
          uint64_t rest = view_->words[(first + at) / 64];
          for (; rest != 0; rest &= rest - 1) {
            const size_t i = at + std::countr_zero(rest);
            const uint64_t hash = static_cast<uint64_t>(hashes[i]);
            visit(part, GroupOf(classes[i]), order::SampleHash(hash),
                  first + i);
          }
        }
      };
    });
  }

  std::vector<Cut> Cuts(uint64_t most) const {
    std::vector<std::vector<uint32_t>> bins(
        parts_, std::vector<uint32_t>(groups_ * kBins));
    ForEach([&](uint64_t part, size_t group, uint64_t hash, uint64_t) {
      ++bins[part][group * kBins + BinOf(hash)];
    });
    std::vector<Cut> cuts(groups_);
    for (size_t g = 0; g < groups_; ++g) {
      uint64_t before = 0;
      for (uint64_t b = 0; b < kBins && cuts[g].bin == kBins; ++b) {
        uint64_t here = 0;
        for (const auto& part : bins) here += part[g * kBins + b];
        if (before + here > most) cuts[g] = {b, most - before};
        before += here;
      }
    }
    return cuts;
  }

  size_t GroupOf(int64_t store_label) const {
    const int64_t label =
        labels_.empty() || store_label < 0 ? store_label : labels_[store_label];
    return label < 0 ? groups_ - 1 : static_cast<size_t>(label);
  }

  void Remove(uint64_t index) {
    view_->words[index / 64] &= ~(uint64_t{1} << (index % 64));
  }

  const store::StoreReader& store_;
  const std::vector<int32_t>& labels_;
  ScannedView* const view_;
  const size_t groups_;  // the classes, and one of drawings without any
  const uint64_t parts_;
};

}  // namespace

void CapClasses(const store::StoreReader& store,
                const std::vector<int32_t>& labels, uint64_t most, int threads,
                ScannedView* view) {
  Cap(store, labels, threads, view).Apply(most);
}

}  // namespace inkstream::batch

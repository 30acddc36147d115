#include "server/batch/class_cap.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <optional>
#include <utility>

#include "absl/types/span.h"
#include "server/batch/scan_threads.h"
#include "server/order/sample_hash.h"

namespace inkstream::batch {
namespace {

constexpr uint64_t kChunkWords = 64;
constexpr uint64_t kChunk = 64 * kChunkWords;
constexpr uint64_t kChunksAThread = 64;
constexpr int kBinBits = 12;
constexpr uint64_t kBins = 1U << kBinBits;

// Hash first, then the place in the store: no two drawings are equal.
using Rank = std::pair<uint64_t, uint64_t>;

struct Member {
  size_t group;  // class, or the last one: none
  Rank rank;
  uint64_t bit() const { return uint64_t{1} << (rank.second % 64); }
};

uint64_t BinOf(const Rank& rank) { return rank.first >> (64 - kBinBits); }

class Cap {
 public:
  Cap(const store::StoreReader& store, const std::vector<int32_t>& labels,
      int threads, ScannedView* view)
      : store_(store),
        labels_(labels),
        view_(view),
        groups_(view->class_counts.size() + 1),
        chunks_((view->words.size() + kChunkWords - 1) / kChunkWords),
        parts_(ScanParts(chunks_, kChunksAThread, threads)) {}

  // Calls visit(part, member) for every drawing of the view.
  void ForEach(
      const std::function<void(uint64_t, const Member&)>& visit) const {
    ScanInParts(
        chunks_, parts_, [&](uint64_t part, uint64_t begin, uint64_t end) {
          std::vector<int64_t> hashes(kChunk);
          std::vector<int64_t> classes(kChunk);
          for (uint64_t chunk = begin; chunk < end; ++chunk) {
            const uint64_t first = chunk * kChunk;
            const size_t count = std::min(kChunk, store_.size() - first);
            store_.ReadColumn(store::StoreColumn::kSplitHash, first,
                              absl::MakeSpan(hashes.data(), count));
            store_.ReadColumn(store::StoreColumn::kLabel, first,
                              absl::MakeSpan(classes.data(), count));
            for (size_t i = 0; i < count; ++i) {
              const uint64_t index = first + i;
              if (((view_->words[index / 64] >> (index % 64)) & 1U) == 0)
                continue;
              const uint64_t hash = static_cast<uint64_t>(hashes[i]);
              visit(part,
                    {GroupOf(classes[i]), {order::SampleHash(hash), index}});
            }
          }
        });
  }

  // How many of each group fall into each range of hashes.
  std::vector<uint32_t> Histogram() const {
    std::vector<std::vector<uint32_t>> bins(
        parts_, std::vector<uint32_t>(groups_ * kBins));
    ForEach([&](uint64_t part, const Member& member) {
      ++bins[part][member.group * kBins + BinOf(member.rank)];
    });
    for (uint64_t part = 1; part < parts_; ++part) {
      for (size_t i = 0; i < bins[0].size(); ++i) bins[0][i] += bins[part][i];
    }
    return std::move(bins[0]);
  }

  // The last rank that stays, by group; nullopt: all of it stays.
  std::vector<std::optional<Rank>> Bounds(uint64_t most) const {
    const std::vector<uint32_t> histogram = Histogram();
    std::vector<uint64_t> bin(groups_, kBins);  // that the bound lies in
    std::vector<uint64_t> wanted(groups_);      // of that bin
    for (size_t g = 0; g < groups_; ++g) {
      uint64_t before = 0;
      for (uint64_t b = 0; b < kBins; ++b) {
        const uint64_t here = histogram[g * kBins + b];
        if (before + here > most) {
          bin[g] = b;
          wanted[g] = most - before;
          break;
        }
        before += here;
      }
    }
    std::vector<std::vector<std::pair<size_t, Rank>>> found(parts_);
    ForEach([&](uint64_t part, const Member& member) {
      if (BinOf(member.rank) != bin[member.group]) return;
      found[part].emplace_back(member.group, member.rank);
    });
    std::vector<std::vector<Rank>> ranks(groups_);
    for (const auto& part : found) {
      for (const auto& [group, rank] : part) ranks[group].push_back(rank);
    }
    std::vector<std::optional<Rank>> bounds(groups_);
    for (size_t g = 0; g < groups_; ++g) {
      if (bin[g] == kBins) continue;
      std::sort(ranks[g].begin(), ranks[g].end());
      // None of the bin, which is not the first: what is before it stays.
      bounds[g] = wanted[g] == 0
                      ? Rank{(bin[g] << (64 - kBinBits)) - 1, ~uint64_t{0}}
                      : ranks[g][wanted[g] - 1];
    }
    return bounds;
  }

  void Apply(uint64_t most) {
    const std::vector<std::optional<Rank>> bounds = Bounds(most);
    // Chunks are whole words, so no two threads write the same one.
    ForEach([&](uint64_t /*part*/, const Member& member) {
      const std::optional<Rank>& bound = bounds[member.group];
      if (!bound.has_value() || member.rank <= *bound) return;
      view_->words[member.rank.second / 64] &= ~member.bit();
    });
    for (uint64_t& count : view_->class_counts) count = std::min(count, most);
  }

 private:
  size_t GroupOf(int64_t store_label) const {
    const int64_t label =
        labels_.empty() || store_label < 0 ? store_label : labels_[store_label];
    return label < 0 ? groups_ - 1 : static_cast<size_t>(label);
  }

  const store::StoreReader& store_;
  const std::vector<int32_t>& labels_;
  ScannedView* const view_;
  const size_t groups_;
  const uint64_t chunks_;
  const uint64_t parts_;
};

}  // namespace

void CapClasses(const store::StoreReader& store,
                const std::vector<int32_t>& labels, uint64_t most, int threads,
                ScannedView* view) {
  Cap(store, labels, threads, view).Apply(most);
}

}  // namespace inkstream::batch

#include "server/batch/view/weighted_drawings.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/batch/view/scan_threads.h"

namespace inkstream::batch {
namespace {

constexpr char kField[] = "order.sampling.drawings.weights";

// Reads the names of 4,096 drawings at a time and looks them up.
class NameScan {
 public:
  NameScan(const store::StoreReader& store, const WeightSet& set)
      : store_(store), set_(set) {}

  // Calls found(place in the chunk, entry) for those of [first, first + count)
  // that the set has and that `wanted(place)` holds for.
  template <typename Wanted, typename Found>
  void Run(uint64_t first, uint64_t count, const Wanted& wanted,
           const Found& found) {
    const bool by_key = set_.by() == DrawingName::kKey;
    if (by_key) {
      store_.ReadColumn(store::StoreColumn::kKeyId, first,
                        absl::MakeSpan(keys_.data(), count));
    }
    for (uint64_t i = 0; i < count; ++i) {
      if (!wanted(i)) continue;
      const WeightSet::Entry* const entry =
          set_.Find(by_key ? keys_[i] : static_cast<int64_t>(first + i));
      if (entry != nullptr) found(i, *entry);
    }
  }

 private:
  const store::StoreReader& store_;
  const WeightSet& set_;
  std::array<int64_t, kScanChunk> keys_;
};

// Calls chunk(scan, first, count) for all of the store, on several threads.
template <typename Chunk>
void ScanNames(const store::StoreReader& store, const WeightSet& set,
               int threads, const Chunk& chunk) {
  ScanChunks(store.size(), ChunkParts(store.size(), threads), [&](uint64_t) {
    return [&, scan = std::make_unique<NameScan>(store, set)](uint64_t first,
                                                              uint64_t count) {
      chunk(scan.get(), first, count);
    };
  });
}

using Bits = std::vector<std::atomic<uint64_t>>;

// Which drawings of the view have a weight, a bit each; `named`: which names of
// the set some drawing of the store has.
std::vector<uint64_t> FindMembers(const store::StoreReader& store,
                                  const ResolvedView& view,
                                  const WeightSet& set, int threads,
                                  Bits* named) {
  std::vector<uint64_t> members((store.size() + 63) / 64);
  ScanNames(store, set, threads,
            [&](NameScan* scan, uint64_t first, uint64_t count) {
              scan->Run(
                  first, count, [](uint64_t) { return true; },
                  [&](uint64_t i, const WeightSet::Entry& entry) {
                    (*named)[entry.number / 64].fetch_or(
                        uint64_t{1} << (entry.number % 64),
                        std::memory_order_relaxed);
                    const uint64_t index = first + i;
                    if (entry.weight == 0 || !view.Contains(index)) return;
                    members[index / 64] |= uint64_t{1} << (index % 64);
                  });
            });
  return members;
}

std::vector<uint32_t> WeightsOf(const store::StoreReader& store,
                                const WeightSet& set, int threads,
                                const RankSelect& members) {
  std::vector<uint32_t> weights(members.size());
  ScanNames(store, set, threads,
            [&](NameScan* scan, uint64_t first, uint64_t count) {
              uint64_t rank = members.RankOf(first);
              scan->Run(
                  first, count,
                  [&](uint64_t i) { return members.Contains(first + i); },
                  [&](uint64_t /*i*/, const WeightSet::Entry& entry) {
                    weights[rank++] = entry.weight;
                  });
            });
  return weights;
}

// A name of the set that no drawing of the store has.
absl::Status CheckNames(const store::StoreReader& store, const WeightSet& set,
                        const Bits& named) {
  uint64_t unknown = set.size();
  for (const auto& word : named) unknown -= std::popcount(word.load());
  if (unknown == 0) return absl::OkStatus();
  const std::optional<int64_t> first = set.Smallest([&](uint32_t number) {
    return (named[number / 64].load() >> (number % 64) & 1U) == 0;
  });
  if (set.by() == DrawingName::kIndex) {
    return absl::InvalidArgumentError(
        absl::StrCat(kField, ": ", unknown, " of ", set.size(),
                     " indices are not in this store, the first of them ",
                     *first, "; it has drawings 0 to ", store.size() - 1));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(kField, ": ", unknown, " of ", set.size(),
                   " keys are no drawing's of this store, the first of them ",
                   *first, "; leave them out, or name drawings by index"));
}

}  // namespace

WeightedDrawings::WeightedDrawings(
    RankSelect members, std::shared_ptr<const order::WeightSlots> slots)
    : members_(std::move(members)), slots_(std::move(slots)) {}

absl::StatusOr<std::shared_ptr<const WeightedDrawings>>
WeightedDrawings::Create(
    const store::StoreReader& store, const ResolvedView& view,
    const WeightSet& set, int threads,
    const std::function<absl::Status(size_t bytes)>& admit) {
  if (view.size() > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(absl::StrCat(
        kField, ": the view has ", view.size(),
        " drawings; at most 2^32 - 1 can have weights of their own"));
  }
  absl::Status admitted =
      admit(RankSelect::BytesOf(store.size()) + set.size() / 8);
  if (!admitted.ok()) return admitted;
  Bits named((set.size() + 63) / 64);
  RankSelect members(FindMembers(store, view, set, threads, &named));
  absl::Status known = CheckNames(store, set, named);
  if (!known.ok()) return known;
  if (members.size() == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        kField, ": none of the view's ", view.size(),
        " drawings has a weight above 0; give some of them one, or name "
        "another view"));
  }
  admitted = admit(order::WeightSlots::BytesOf(members.size()));
  if (!admitted.ok()) return admitted;
  auto slots = std::make_shared<const order::WeightSlots>(
      WeightsOf(store, set, threads, members));
  return std::shared_ptr<const WeightedDrawings>(
      new WeightedDrawings(std::move(members), std::move(slots)));
}

}  // namespace inkstream::batch

#include "server/store/generation/duplicate_keys.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <mutex>
#include <thread>
#include <tuple>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace inkstream::store {
namespace {

constexpr uint64_t kMinSlots = 4096;
// Slots of the bitmaps a key: at eight, an eighth of single keys is sorted too.
constexpr uint64_t kSlotsAKey = 8;
// From this many keys on, threads share them.
constexpr int kMostThreads = 8;
constexpr uint64_t kShared = 1U << 17U;

// Columns pass through memory; they are not to add up in it.
constexpr uint64_t kLetGoEvery = uint64_t{1} << 21;

struct Entry {
  int64_t key;
  uint64_t place;
  bool operator<(const Entry& other) const {
    return std::tie(key, place) < std::tie(other.key, other.place);
  }
};

// SplitMix64's finaliser.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

// Calls visit(key, hash, place) for every drawing that is in the store and has
// a key.
template <typename Visit>
void ForEachKey(const OpenStore& store, const Visit& visit) {
  for (size_t s = 0; s < store.segments(); ++s) {
    uint64_t place = store.segment(s).first();
    for (uint32_t r = 0; r < store.segment(s).runs(); ++r) {
      const ColumnRun& run = store.segment(s).Run(r);
      const ColumnView& column = run.column(ColumnKind::kKeyId);
      const bool some_dropped = place < store.dropped().end();
      for (uint32_t i = 0; column.any && i < run.count; ++i) {
        if (!column.Has(i)) continue;
        if (some_dropped && store.dropped().Contains(place + i)) continue;
        const int64_t key = column.Value(i);
        visit(key, Mix(static_cast<uint64_t>(key)), place + i);
      }
      place += run.count;
      if (place / kLetGoEvery > (place - run.count) / kLetGoEvery) {
        store.segment(s).LetGo();
      }
    }
    store.segment(s).LetGo();
  }
}

class Bits {
 public:
  explicit Bits(uint64_t count) : words_(count / 64) {}
  bool Get(uint64_t i) const { return words_[i / 64] >> (i % 64) & 1; }
  void Set(uint64_t i) { words_[i / 64] |= uint64_t{1} << (i % 64); }

 private:
  std::vector<uint64_t> words_;
};

class Finder {
 public:
  Finder(const OpenStore& store, uint64_t memory_bytes, bool list, int threads)
      : store_(store),
        threads_(std::clamp(threads, 1, kMostThreads)),
        memory_bytes_(memory_bytes / static_cast<uint64_t>(threads_)),
        list_(list) {}

  absl::StatusOr<DuplicateKeys> Run() {
    const uint64_t keys = store_.info().with_key_id;
    // Two bitmaps take half of the memory, what is sorted the other half.
    const uint64_t most =
        std::bit_floor(std::max<uint64_t>(kMinSlots, memory_bytes_ / 4 * 8));
    // Every part reads all keys: a few of them are not worth it.
    const uint64_t least = keys < kShared ? 1 : static_cast<uint64_t>(threads_);
    const uint64_t slots =
        std::clamp(std::bit_ceil(keys * kSlotsAKey / least), kMinSlots, most);
    const uint64_t parts =
        std::max(least, (keys * kSlotsAKey + slots - 1) / slots);
    std::atomic<uint64_t> next{0};
    const auto work = [&] {
      for (uint64_t part; (part = next.fetch_add(1)) < parts;) {
        absl::Status status = RunPart(part, parts, slots);
        if (status.ok()) continue;
        const std::lock_guard<std::mutex> lock(mutex_);
        failed_.Update(status);
        next = parts;
      }
    };
    std::vector<std::thread> helpers;
    for (uint64_t t = 1; t < least; ++t) helpers.emplace_back(work);
    work();
    for (std::thread& helper : helpers) helper.join();
    if (!failed_.ok()) return failed_;
    std::sort(found_.places.begin(), found_.places.end());
    return std::move(found_);
  }

 private:
  // The upper half of a hash chooses the part, the lower half the slot.
  static uint64_t PartOf(uint64_t hash, uint64_t parts) {
    return parts == 1 ? 0 : (hash >> 40U) % parts;
  }

  absl::Status RunPart(uint64_t part, uint64_t parts, uint64_t slots) {
    uint64_t suspects = 0;
    Bits again(slots);
    {
      Bits seen(slots);
      ForEachKey(store_, [&](int64_t, uint64_t hash, uint64_t) {
        if (PartOf(hash, parts) != part) return;
        const uint64_t slot = hash & (slots - 1);
        if (seen.Get(slot)) {
          // The one that was there first is a suspect as well.
          suspects += again.Get(slot) ? 1 : 2;
          again.Set(slot);
        }
        seen.Set(slot);
      });
    }
    const uint64_t room =
        std::max<uint64_t>(1024, memory_bytes_ / 2 / sizeof(Entry));
    const uint64_t rounds = (suspects + room - 1) / room;
    for (uint64_t round = 0; round < rounds; ++round) {
      std::vector<Entry> entries;
      entries.reserve(std::min(suspects, room + room / 8));
      ForEachKey(store_, [&](int64_t key, uint64_t hash, uint64_t place) {
        if (PartOf(hash, parts) != part || !again.Get(hash & (slots - 1))) {
          return;
        }
        if ((hash >> 32U) % rounds == round) entries.push_back({key, place});
      });
      std::sort(entries.begin(), entries.end());
      if (absl::Status s = Take(entries); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

  absl::Status Take(const std::vector<Entry>& sorted) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (size_t i = 1, first = 0; i < sorted.size(); ++i) {
      if (sorted[i].key != sorted[first].key) {
        first = i;
        continue;
      }
      // Whichever thread comes first, the earliest is named.
      if (found_.count++ == 0 || sorted[i].place < found_.place) {
        found_.key_id = sorted[i].key;
        found_.first_place = sorted[first].place;
        found_.place = sorted[i].place;
      }
      if (!list_) continue;
      if (found_.places.size() == kMaxListedDuplicates) {
        return absl::ResourceExhaustedError(absl::StrCat(
            "more than ", kMaxListedDuplicates,
            " drawings repeat a key_id, the limit of what can be dropped; is "
            "an input given twice?"));
      }
      found_.places.push_back(sorted[i].place);
    }
    return absl::OkStatus();
  }

  const OpenStore& store_;
  const int threads_;
  const uint64_t memory_bytes_;
  const bool list_;
  std::mutex mutex_;  // guards what follows
  DuplicateKeys found_;
  absl::Status failed_;
};

}  // namespace

absl::StatusOr<DuplicateKeys> FindDuplicateKeys(const OpenStore& store,
                                                uint64_t memory_bytes,
                                                bool list, int threads) {
  return Finder(store, memory_bytes, list, threads).Run();
}

}  // namespace inkstream::store

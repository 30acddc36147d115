#include "server/batch/view/class_index.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/types/span.h"
#include "server/batch/view/scan_threads.h"

namespace inkstream::batch {
namespace {

constexpr size_t kChunk = 4096;
constexpr uint64_t kDrawingsAThread = 1U << 18U;
constexpr int kMostThreads = 8;

int LowBits(uint64_t drawings, uint64_t members) {
  return members == 0 ? 0 : std::bit_width(drawings / members) - 1;
}

}  // namespace

void ClassIndex::List::Add(uint64_t number) {
  // A column that is lost while it is read may have more than were counted, or
  // fewer; what is made of it is thrown away.
  if (filled == room) return;
  if (low_bits > 0) {
    const uint64_t bits = number & ((uint64_t{1} << low_bits) - 1);
    const uint64_t place = filled * low_bits;
    low[place / 64] |= bits << (place % 64);
    if (place % 64 + low_bits > 64) {
      low[place / 64 + 1] |= bits >> (64 - place % 64);
    }
  }
  const uint64_t high_place = (number >> low_bits) + filled;
  high_words[high_place / 64] |= uint64_t{1} << (high_place % 64);
  ++filled;
}

uint64_t ClassIndex::List::At(uint64_t rank) const {
  const uint64_t high_part = high.front().Select(rank) - rank;
  if (low_bits == 0) return high_part;
  const uint64_t place = rank * low_bits;
  uint64_t bits = low[place / 64] >> (place % 64);
  if (place % 64 + low_bits > 64) {
    bits |= low[place / 64 + 1] << (64 - place % 64);
  }
  return (high_part << low_bits) | (bits & ((uint64_t{1} << low_bits) - 1));
}

ClassIndex::ClassIndex(const store::StoreReader& store,
                       const ResolvedView& view, int threads) {
  const uint64_t drawings = store.size();
  lists_.resize(view.classes().size());
  for (size_t c = 0; c < lists_.size(); ++c) {
    const uint64_t members = view.class_counts()[c];
    List& list = lists_[c];
    list.room = members;
    list.low_bits = LowBits(drawings, members);
    list.low.resize((members * list.low_bits + 63) / 64);
    list.high_words.resize(((drawings >> list.low_bits) + members) / 64 + 1);
  }
  // Each thread looks at every drawing and lists those of its own classes:
  // lists grow in index order, and no two threads touch one.
  const uint64_t parts = ScanParts(
      drawings, kDrawingsAThread,
      std::min({threads, kMostThreads, static_cast<int>(lists_.size())}));
  ScanInParts(lists_.size(), parts,
              [&](uint64_t /*part*/, uint64_t begin, uint64_t end) {
                Fill(store, view, begin, end);
              });
}

void ClassIndex::Fill(const store::StoreReader& store, const ResolvedView& view,
                      size_t begin, size_t end) {
  const uint64_t drawings = store.size();
  std::vector<int64_t> labels(kChunk);
  for (uint64_t first = 0; first < drawings; first += kChunk) {
    const size_t count = std::min<uint64_t>(kChunk, drawings - first);
    store.ReadColumn(store::StoreColumn::kLabel, first,
                     absl::MakeSpan(labels.data(), count));
    for (size_t at = 0; at < count; at += 64) {
      uint64_t rest = view.MembersOf((first + at) / 64);
      if (count - at < 64) rest &= (uint64_t{1} << (count - at)) - 1;
      for (; rest != 0; rest &= rest - 1) {
        const size_t i = at + std::countr_zero(rest);
        const int32_t label = view.LabelOf(static_cast<int32_t>(labels[i]));
        // A missing one is larger than any.
        const uint64_t list = static_cast<uint64_t>(int64_t{label});
        if (list >= begin && list < end) lists_[list].Add(first + i);
      }
    }
  }
  for (size_t list = begin; list < end; ++list) {
    while (lists_[list].filled < lists_[list].room) {
      lists_[list].Add(drawings - 1);
    }
    lists_[list].high.emplace_back(std::move(lists_[list].high_words));
  }
}

uint64_t ClassIndex::IndexOf(size_t label, uint64_t rank) const {
  return lists_[label].At(rank);
}

size_t ClassIndex::bytes() const {
  size_t bytes = lists_.size() * sizeof(List);
  for (const List& list : lists_) {
    bytes += 8 * list.low.size() + list.high.front().bytes();
  }
  return bytes;
}

size_t ClassIndex::BytesOf(const store::StoreReader& store,
                           const ResolvedView& view) {
  size_t bytes = view.classes().size() * sizeof(List);
  for (const uint64_t members : view.class_counts()) {
    const int low_bits = LowBits(store.size(), members);
    bytes += members * low_bits / 8 + 8 +
             RankSelect::BytesOf((store.size() >> low_bits) + members);
  }
  return bytes;
}

}  // namespace inkstream::batch

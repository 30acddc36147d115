// What of a view goes by hash: "train", "train[:10%]", "train[12.5%:90%]" (a
// split's name and which part of it, in hash order), its fold, its fraction.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inkstream/view.h"
#include "server/order/order_plan.h"
#include "server/store/store_reader.h"

namespace inkstream::batch {

// Hashes first..last, both included; none where `empty`.
struct HashRange {
  uint64_t first = 0;
  uint64_t last = ~uint64_t{0};
  bool empty = false;

  bool Contains(uint64_t hash) const {
    return hash - first <= last - first && !empty;
  }
  bool everything() const {
    return first == 0 && last == ~uint64_t{0} && !empty;
  }
  // The part from `from`/`of` to `to`/`of`. Neighbouring parts share nothing
  // and leave nothing out. REQUIRES: from <= to <= of, of > 0.
  HashRange Part(uint64_t from, uint64_t to, uint64_t of) const;

  bool operator==(const HashRange&) const = default;
};

struct SplitSlice {
  static constexpr uint64_t kWhole = 100'000'000;  // millionths of a percent

  std::string split;
  uint64_t from = 0;  // of kWhole
  uint64_t to = kWhole;

  bool whole() const { return from == 0 && to == kWhole; }
  // "12.5%:90%".
  std::string Text() const;

  bool operator==(const SplitSlice&) const = default;
};

// nullopt: a bracket that is not [a%:b%] with 0 <= a < b <= 100 and up to six
// decimals.
std::optional<SplitSlice> ParseSplitSlice(absl::string_view text);

// INVALID_ARGUMENT: count not in 2..1000, index not below it.
absl::Status CheckFold(const Fold& fold);

// The drawings of one store that are left.
struct HashFilter {
  std::optional<size_t> split;  // of a store whose splits name their drawings
  // Of the split hash or, by_sample, of the SampleHash of its complement.
  HashRange hashes;
  HashRange fold_out{0, 0, true};  // and not these
  bool by_sample = false;
  uint64_t last_sample = ~uint64_t{0};  // SampleHash at most this
};

// Also says in `order` what it is called there. NOT_FOUND: no such split, and
// the nearest; INVALID_ARGUMENT: no slice, a fold as above, or a fraction that
// is not in (0, 1].
absl::StatusOr<HashFilter> CompileHashes(const store::StoreInfo& info,
                                         const View& view,
                                         order::ResolvedView* order);

}  // namespace inkstream::batch

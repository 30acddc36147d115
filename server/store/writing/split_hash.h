// Which split a drawing is in: a hash of its key against cumulative fractions.
// The same for every input order, shard, append and merge.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "inkstream/drawing.h"
#include "server/store/store_reader.h"
#include "server/store/store_writer.h"
#include "server/store/strokes/byte_strokes.h"

namespace inkstream::store {

inline constexpr char kSplitSalt[] = "inkstream/1";
// Of the split "train" with everything, which stores without --split have.
inline constexpr char kEverythingRule[] = "hash:inkstream/1:[0,1)";

// Uniform over 64 bits.
uint64_t SplitHashOfKey(int64_t key_id);
// Replaces each key by its hash.
void SplitHashesOfKeys(absl::Span<int64_t> keys);
// For drawings without a key_id.
uint64_t SplitHashOfStrokes(const ByteStrokes& strokes);
// The same, of the raw points. REQUIRES: a raw drawing.
uint64_t SplitHashOfStrokes(const Drawing& drawing);

// 1 to 64 letters, digits, '_', '.' or '-'.
bool IsSplitName(absl::string_view name);

inline bool InSplit(const SplitInfo& split, uint64_t hash) {
  return hash >= split.low && (hash < split.high || split.high == UINT64_MAX);
}

// Ranges of the hash in the order given; none: "train" with everything.
// INVALID_ARGUMENT: a name that is empty, repeated or not of [A-Za-z0-9_.-],
// a fraction outside of (0, 1], a sum above 1.
absl::StatusOr<std::vector<SplitInfo>> MakeSplits(
    absl::Span<const SplitFraction> fractions);

}  // namespace inkstream::store

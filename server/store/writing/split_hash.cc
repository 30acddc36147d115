#include "server/store/writing/split_hash.h"

// A hash of a known length is a few instructions where it can be inlined.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/store/format.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::store {
namespace {

// Sums of decimal fractions miss 1 by a few units in the last place.
constexpr double kRounding = 1e-9;
constexpr size_t kSaltBytes = sizeof(kSplitSalt) - 1;

using KeyBytes = char[kSaltBytes + sizeof(int64_t)];  // what is hashed of a key

uint64_t HashBound(double cumulative) {
  if (cumulative >= 1 - kRounding) return UINT64_MAX;
  return static_cast<uint64_t>(std::ldexp(cumulative, 64));
}

}  // namespace

bool IsSplitName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxSplitNameBytes) return false;
  for (const char c : name) {
    if (!absl::ascii_isalnum(c) && c != '_' && c != '.' && c != '-') {
      return false;
    }
  }
  return true;
}

uint64_t SplitHashOfKey(int64_t key_id) {
  KeyBytes bytes;
  std::memcpy(bytes, kSplitSalt, kSaltBytes);
  std::memcpy(bytes + kSaltBytes, &key_id, sizeof(key_id));
  return XXH3_64bits(bytes, sizeof(bytes));
}

void SplitHashesOfKeys(absl::Span<int64_t> keys) {
  // All are written before any is hashed: loads across the ends of stores that
  // are still under way cost more than the hash (measured: 10 ns against 3).
  constexpr size_t kAtOnce = 64;
  KeyBytes bytes[kAtOnce];
  for (KeyBytes& some : bytes) std::memcpy(some, kSplitSalt, kSaltBytes);
  for (size_t first = 0; first < keys.size(); first += kAtOnce) {
    const size_t count = std::min(kAtOnce, keys.size() - first);
    for (size_t i = 0; i < count; ++i) {
      std::memcpy(bytes[i] + kSaltBytes, &keys[first + i], sizeof(int64_t));
    }
    for (size_t i = 0; i < count; ++i) {
      keys[first + i] =
          static_cast<int64_t>(XXH3_64bits(bytes[i], sizeof(bytes[i])));
    }
  }
}

uint64_t SplitHashOfStrokes(const ByteStrokes& strokes) {
  // The suffix keeps these apart from keys.
  std::string bytes = absl::StrCat(kSplitSalt, "/strokes");
  AppendLittle<uint32_t>(static_cast<uint32_t>(strokes.strokes()), &bytes);
  for (const uint32_t end : strokes.stroke_ends) AppendLittle(end, &bytes);
  bytes.append(strokes.x.begin(), strokes.x.end());
  bytes.append(strokes.y.begin(), strokes.y.end());
  return XXH3_64bits(bytes.data(), bytes.size());
}

uint64_t SplitHashOfStrokes(const Drawing& drawing) {
  std::string bytes = absl::StrCat(kSplitSalt, "/raw");
  AppendLittle<uint32_t>(static_cast<uint32_t>(drawing.stroke_ends.size()),
                         &bytes);
  for (const uint32_t end : drawing.stroke_ends) AppendLittle(end, &bytes);
  for (const auto* axis : {&drawing.raw.x, &drawing.raw.y, &drawing.raw.t}) {
    for (const double value : *axis) AppendLittle(value, &bytes);
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

absl::StatusOr<std::vector<SplitInfo>> MakeSplits(
    absl::Span<const SplitFraction> fractions) {
  const SplitFraction everything{"train", 1.0};
  if (fractions.empty()) fractions = absl::MakeConstSpan(&everything, 1);
  std::vector<SplitInfo> splits;
  double cumulative = 0;
  for (const SplitFraction& fraction : fractions) {
    if (!IsSplitName(fraction.name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("split: name '", fraction.name,
                       "' must be 1 to 64 letters, digits, '_', '.' or '-'"));
    }
    for (const SplitInfo& other : splits) {
      if (other.name == fraction.name) {
        return absl::InvalidArgumentError(
            absl::StrCat("split: '", fraction.name, "' is given twice"));
      }
    }
    if (!(fraction.fraction > 0 && fraction.fraction <= 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("split: fraction of '", fraction.name, "' is ",
                       fraction.fraction, ", expected above 0 and at most 1"));
    }
    const double next = cumulative + fraction.fraction;
    if (next > 1 + kRounding) {
      return absl::InvalidArgumentError(absl::StrCat("split: fractions up to '",
                                                     fraction.name, "' sum to ",
                                                     next, ", the limit is 1"));
    }
    SplitInfo split;
    split.name = fraction.name;
    split.low = splits.empty() ? 0 : splits.back().high;
    split.high = HashBound(next);
    split.rule = absl::StrFormat("hash:%s:[%.12g,%.12g)", kSplitSalt,
                                 cumulative, next > 1 ? 1.0 : next);
    splits.push_back(split);
    cumulative = next;
  }
  return splits;
}

}  // namespace inkstream::store

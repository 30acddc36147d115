#include "server/batch/view/split_slice.h"

#include <cmath>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "server/base/nearest_name.h"

namespace inkstream::batch {
namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr uint64_t kPercent = SplitSlice::kWhole / 100;
constexpr size_t kDecimals = 6;
constexpr uint32_t kMaxFolds = 1000;

// "12.5%" in millionths of a percent.
std::optional<uint64_t> ParsePercent(absl::string_view text) {
  if (!absl::ConsumeSuffix(&text, "%")) return std::nullopt;
  const size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  std::string decimals(point == absl::string_view::npos
                           ? absl::string_view()
                           : text.substr(point + 1));
  if (digits.empty() || digits.size() > 3 || decimals.size() > kDecimals ||
      (point != absl::string_view::npos && decimals.empty())) {
    return std::nullopt;
  }
  decimals.resize(kDecimals, '0');
  for (const char c : digits + decimals) {
    if (!absl::ascii_isdigit(c)) return std::nullopt;
  }
  uint64_t value = 0;
  if (!absl::SimpleAtoi(digits + decimals, &value)) return std::nullopt;
  return value <= SplitSlice::kWhole ? std::optional(value) : std::nullopt;
}

std::string PercentText(uint64_t millionths) {
  const uint64_t rest = millionths % kPercent;
  if (rest == 0) return absl::StrCat(millionths / kPercent, "%");
  std::string decimals = absl::StrFormat("%06d", rest);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return absl::StrCat(millionths / kPercent, ".", decimals, "%");
}

// The split that `text` names, with its slice; null where it names none.
absl::StatusOr<const store::SplitInfo*> FindSplit(const store::StoreInfo& info,
                                                  const std::string& text,
                                                  SplitSlice* slice) {
  const std::optional<SplitSlice> parsed = ParseSplitSlice(text);
  if (!parsed.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "view.split: ", Quoted(text),
        " is not a split with a slice; write \"train[10%:20%]\", with "
        "percents of 0 to 100, the first below the second, and up to six "
        "decimals"));
  }
  *slice = *parsed;
  if (slice->split.empty()) return nullptr;
  std::vector<std::string> names;
  for (const store::SplitInfo& split : info.splits) {
    if (split.name == slice->split) return &split;
    names.push_back(split.name);
  }
  return absl::NotFoundError(absl::StrCat("view.split: there is no split ",
                                          Quoted(slice->split),
                                          NearestHint(slice->split, names)));
}

HashRange RangeOf(const store::SplitInfo& split) {
  constexpr uint64_t kMax = ~uint64_t{0};
  if (split.high == kMax) return {split.low, kMax, false};
  if (split.low >= split.high) return {0, 0, true};
  return {split.low, split.high - 1, false};
}

// The largest SampleHash that a fraction takes in.
absl::StatusOr<uint64_t> LastSample(double fraction) {
  if (!(fraction > 0 && fraction <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("view.fraction: ", fraction, " is not in (0, 1]"));
  }
  if (fraction == 1) return ~uint64_t{0};
  const double bound = std::ldexp(fraction, 64);
  return bound < 1 ? 0 : static_cast<uint64_t>(bound) - 1;
}

}  // namespace

HashRange HashRange::Part(uint64_t from, uint64_t to, uint64_t of) const {
  if (empty) return *this;
  const Uint128 size = static_cast<Uint128>(last - first) + 1;
  const auto offset = [&](uint64_t part) { return size * part / of; };
  if (offset(from) == offset(to)) return {0, 0, true};
  return {first + static_cast<uint64_t>(offset(from)),
          first + static_cast<uint64_t>(offset(to) - 1), false};
}

std::string SplitSlice::Text() const {
  return absl::StrCat(PercentText(from), ":", PercentText(to));
}

std::optional<SplitSlice> ParseSplitSlice(absl::string_view text) {
  SplitSlice slice;
  const size_t bracket = text.find('[');
  slice.split = std::string(text.substr(0, bracket));
  if (bracket == absl::string_view::npos) return slice;
  absl::string_view inside = text.substr(bracket + 1);
  const size_t colon = inside.find(':');
  if (!absl::ConsumeSuffix(&inside, "]") || colon == absl::string_view::npos) {
    return std::nullopt;
  }
  const absl::string_view from = inside.substr(0, colon);
  const absl::string_view to = inside.substr(colon + 1);
  const std::optional<uint64_t> first = from.empty() ? 0 : ParsePercent(from);
  const std::optional<uint64_t> last =
      to.empty() ? SplitSlice::kWhole : ParsePercent(to);
  if (!first.has_value() || !last.has_value() || *first >= *last) {
    return std::nullopt;
  }
  slice.from = *first;
  slice.to = *last;
  return slice;
}

absl::Status CheckFold(const Fold& fold) {
  if (fold.count < 2 || fold.count > kMaxFolds) {
    return absl::InvalidArgumentError(
        absl::StrCat("view.fold.count: ", fold.count, " is not in 2..",
                     kMaxFolds, "; 5 and 10 are usual"));
  }
  if (fold.index >= fold.count) {
    return absl::InvalidArgumentError(absl::StrCat(
        "view.fold.index: ", fold.index, " is not below view.fold.count, ",
        fold.count, "; folds are 0..", fold.count - 1));
  }
  return absl::OkStatus();
}

absl::StatusOr<HashFilter> CompileHashes(const store::StoreInfo& info,
                                         const View& view,
                                         order::ResolvedView* order) {
  HashFilter filter;
  order->split_rule = "all";
  SplitSlice slice;
  absl::StatusOr<const store::SplitInfo*> split =
      FindSplit(info, view.split, &slice);
  if (!split.ok()) return split.status();
  if (*split != nullptr) {
    order->split_rule = (*split)->rule;
    const bool whole = (*split)->drawings == info.drawings;
    if (info.listed_splits) {
      // Members named by the input have hashes from all over.
      filter.by_sample = true;
      if (!whole) filter.split = *split - info.splits.data();
    } else if (!whole) {
      filter.hashes = RangeOf(**split);
    }
  }
  if (!slice.whole()) {
    order->slice = slice.Text();
    filter.hashes =
        filter.hashes.Part(slice.from, slice.to, SplitSlice::kWhole);
  }
  if (view.fold.has_value()) {
    const Fold& fold = *view.fold;
    if (absl::Status status = CheckFold(fold); !status.ok()) return status;
    order->fold = absl::StrCat(fold.index, "/", fold.count,
                               fold.held_out ? " held out" : "");
    const HashRange part =
        filter.hashes.Part(fold.index, fold.index + 1, fold.count);
    (fold.held_out ? filter.hashes : filter.fold_out) = part;
  }
  absl::StatusOr<uint64_t> last = LastSample(view.fraction);
  if (!last.ok()) return last.status();
  filter.last_sample = *last;
  order->fraction = view.fraction;
  return filter;
}

}  // namespace inkstream::batch

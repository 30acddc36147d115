#include "server/app/flags/split_flag.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace inkstream::app {
namespace {

// 0.7 + 0.2 + 0.1 is a little over 1 in binary.
constexpr double kRounding = 1e-9;

}  // namespace

absl::StatusOr<std::vector<store::SplitFraction>> ParseSplits(
    const std::string& text) {
  std::vector<store::SplitFraction> splits;
  if (text.empty()) return splits;
  double sum = 0;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    store::SplitFraction split;
    split.name = std::string(pair.first);
    if (split.name.empty() || !absl::SimpleAtod(pair.second, &split.fraction) ||
        !(split.fraction > 0 && split.fraction <= 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--split has '", part,
                       "', expected NAME=FRACTION with a fraction in (0, 1], "
                       "such as train=0.9,valid=0.1"));
    }
    for (const store::SplitFraction& other : splits) {
      if (other.name == split.name) {
        return absl::InvalidArgumentError(
            absl::StrCat("--split names '", split.name, "' twice"));
      }
    }
    sum += split.fraction;
    splits.push_back(std::move(split));
  }
  if (sum > 1 + kRounding) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the fractions of --split sum to ", sum, ", the limit is 1"));
  }
  return splits;
}

}  // namespace inkstream::app

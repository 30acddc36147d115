#include "server/base/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace inkstream {
namespace {

constexpr size_t kMaxCompared = 64;  // characters; names are short
constexpr size_t kMaxListed = 12;

// Characters put in, left out or changed, and neighbours in each other's place:
// the distance of Damerau and Levenshtein (optimal string alignment).
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  std::vector<size_t> above = row;
  std::vector<size_t> above_that = row;
  for (size_t i = 1; i <= a.size(); ++i) {
    std::swap(above_that, above);
    std::swap(above, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], above_that[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::string NearestName(absl::string_view asked,
                        absl::Span<const std::string> choices) {
  const std::string wanted =
      absl::AsciiStrToLower(asked.substr(0, kMaxCompared));
  std::string best;
  size_t best_distance = 0;
  for (const std::string& choice : choices) {
    const std::string name = absl::AsciiStrToLower(
        absl::string_view(choice).substr(0, kMaxCompared));
    const size_t distance = EditDistance(wanted, name);
    if (2 * distance > std::max(wanted.size(), name.size())) continue;
    if (best.empty() || distance < best_distance) {
      best = choice;
      best_distance = distance;
    }
  }
  return best;
}

std::string NearestHint(absl::string_view asked,
                        absl::Span<const std::string> choices) {
  if (choices.empty()) return "; there are none";
  const std::string nearest = NearestName(asked, choices);
  if (!nearest.empty()) {
    return absl::StrCat("; the nearest is ", Quoted(nearest));
  }
  const size_t listed = std::min(choices.size(), kMaxListed);
  std::string hint =
      absl::StrCat("; offered: ",
                   absl::StrJoin(choices.subspan(0, listed), ", ",
                                 [](std::string* out, const std::string& name) {
                                   absl::StrAppend(out, Quoted(name));
                                 }));
  if (choices.size() > listed) {
    absl::StrAppend(&hint, " and ", choices.size() - listed, " more");
  }
  return hint;
}

std::string Quoted(absl::string_view text) {
  constexpr size_t kMaxShown = 80;
  const bool cut = text.size() > kMaxShown;
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(text.substr(0, kMaxShown)),
                      cut ? "…" : "", "\"");
}

}  // namespace inkstream

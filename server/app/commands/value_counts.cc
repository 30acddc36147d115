#include "server/app/commands/value_counts.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/app/commands/progress_display.h"
#include "server/base/json.h"

namespace inkstream::app {
namespace {

// Columns of a line besides its bar.
constexpr size_t kBesidesBar = 44;
constexpr size_t kShortestBar = 10;

// First value of the bucket after the one that begins with `from`.
uint64_t NextBucket(uint64_t from) {
  uint64_t step = 1;
  while (step * 4 <= from) step *= 2;
  return from + step;
}

}  // namespace

void ValueCounts::Merge(const ValueCounts& other) {
  counts_.resize(std::max(counts_.size(), other.counts_.size()));
  for (size_t v = 0; v < other.counts_.size(); ++v) {
    counts_[v] += other.counts_[v];
  }
  total_ += other.total_;
}

uint64_t ValueCounts::Sum() const {
  uint64_t sum = 0;
  for (size_t v = 0; v < counts_.size(); ++v) sum += v * counts_[v];
  return sum;
}

double ValueCounts::Mean() const {
  return total_ == 0 ? 0
                     : static_cast<double>(Sum()) / static_cast<double>(total_);
}

uint64_t ValueCounts::Quantile(double share) const {
  const uint64_t wanted = std::max<uint64_t>(
      1, static_cast<uint64_t>(std::ceil(share * static_cast<double>(total_))));
  uint64_t seen = 0;
  for (size_t v = 0; v < counts_.size(); ++v) {
    seen += counts_[v];
    if (seen >= wanted) return v;
  }
  return 0;
}

std::vector<ValueCounts::Bucket> ValueCounts::Buckets() const {
  std::vector<Bucket> buckets;
  for (uint64_t from = 0; from < counts_.size();) {
    const uint64_t next = NextBucket(from);
    Bucket bucket{from, next - 1, 0};
    for (uint64_t v = from; v < next && v < counts_.size(); ++v) {
      bucket.count += counts_[v];
    }
    if (bucket.count > 0 || !buckets.empty()) buckets.push_back(bucket);
    from = next;
  }
  return buckets;
}

std::string ValueCounts::Text(absl::string_view what, size_t width) const {
  std::string text = absl::StrFormat(
      "%s: mean %.1f, median %d, 90 %% have at most %d, 99 %% %d, most %d\n",
      what, Mean(), Quantile(0.5), Quantile(0.9), Quantile(0.99), Most());
  const std::vector<Bucket> buckets = Buckets();
  uint64_t largest = 1;
  for (const Bucket& bucket : buckets) {
    largest = std::max(largest, bucket.count);
  }
  const size_t longest =
      width > kBesidesBar + kShortestBar ? width - kBesidesBar : kShortestBar;
  for (const Bucket& bucket : buckets) {
    std::string range = absl::StrCat(bucket.from);
    if (bucket.to > bucket.from) absl::StrAppend(&range, "-", bucket.to);
    // Something is never shown as nothing.
    const size_t bar =
        bucket.count == 0
            ? 0
            : std::max<size_t>(1, longest * bucket.count / largest);
    absl::StrAppendFormat(
        &text, "%15s  %-*s %5.1f %% %14s\n", range, static_cast<int>(longest),
        std::string(bar, '#'),
        100.0 * static_cast<double>(bucket.count) /
            static_cast<double>(std::max<uint64_t>(1, total_)),
        WithThousands(bucket.count));
  }
  return text;
}

Json ValueCounts::ToJson() const {
  Json histogram = Json::array();
  for (const Bucket& bucket : Buckets()) {
    histogram.push_back(
        {{"from", bucket.from}, {"to", bucket.to}, {"drawings", bucket.count}});
  }
  return {{"mean", Mean()},        {"median", Quantile(0.5)},
          {"p90", Quantile(0.9)},  {"p99", Quantile(0.99)},
          {"least", Least()},      {"most", Most()},
          {"histogram", histogram}};
}

}  // namespace inkstream::app

#include "server/batch/view/weight_set.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/order/order_plan.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::batch {
namespace {

// Relative to the largest. What is above 0 stays there. One division and one
// product, rounded alike everywhere.
uint32_t ShareOf(double weight, double largest) {
  constexpr double kWhole = ~uint32_t{0};
  if (weight == 0) return 0;
  return static_cast<uint32_t>(
      std::max(1.0, std::round(weight / largest * kWhole)));
}

}  // namespace

absl::StatusOr<WeightSet> WeightSet::Create(DrawingName by,
                                            std::vector<int64_t> names,
                                            std::vector<double> weights) {
  std::vector<uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return names[a] < names[b]; });
  std::string bytes = absl::StrCat("weights by ", FieldOf(by), "\n");
  bytes.reserve(bytes.size() + 16 * names.size());
  for (size_t i = 0; i < order.size(); ++i) {
    const int64_t name = names[order[i]];
    if (i > 0 && name == names[order[i - 1]]) {
      return absl::InvalidArgumentError(
          absl::StrCat(FieldOf(by), ": ", name,
                       " comes twice; give each drawing one weight"));
    }
    store::AppendLittle(name, &bytes);
  }
  const double largest = *std::max_element(weights.begin(), weights.end());
  if (!(largest > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights: all ", weights.size(),
                     " are 0; give at least one drawing a weight above it"));
  }
  for (const uint32_t i : order) {
    // A negative zero is the zero that it equals.
    store::AppendLittle(weights[i] == 0 ? 0.0 : weights[i], &bytes);
  }
  WeightSet set;
  set.by_ = by;
  set.hash_ = order::OrderPlanHash(bytes);
  std::string().swap(bytes);
  set.entries_.reserve(names.size());
  for (const uint32_t i : order) {
    const auto number = static_cast<uint32_t>(set.entries_.size());
    set.entries_.emplace(names[i], Entry{ShareOf(weights[i], largest), number});
  }
  return set;
}

}  // namespace inkstream::batch

#include "server/order/mixture.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/order/integer_power.h"
#include "server/order/keyed_mix.h"
#include "server/order/permutation.h"

namespace inkstream::order {
namespace {

constexpr int kWeightBits = 46;  // of the largest weight

absl::Status Invalid(const Sampling& sampling, absl::string_view field,
                     absl::string_view what) {
  const char* const kind = sampling.kind == SamplingKind::kBalanced ? "balanced"
                           : sampling.kind == SamplingKind::kWeights ? "weights"
                                                                     : "mix";
  return absl::InvalidArgumentError(
      absl::StrCat("order.sampling.", kind, field, what));
}

absl::Status CheckWeights(const Sampling& sampling, size_t components) {
  if (sampling.weights.size() != components) {
    return Invalid(
        sampling, ".weights: ",
        absl::StrCat(sampling.weights.size(), " weights for ", components,
                     sampling.kind == SamplingKind::kMix
                         ? " views; give one a view"
                         : " classes of the view; give one a class, in label "
                           "order"));
  }
  for (size_t i = 0; i < components; ++i) {
    const double weight = sampling.weights[i];
    if (std::isfinite(weight) && weight >= 0) continue;
    return Invalid(sampling, absl::StrCat(".weights[", i, "]: "),
                   absl::StrCat(weight, " is not a finite number >= 0"));
  }
  return absl::OkStatus();
}

// Weights as integers below 2^(kWeightBits + 1); 0 for an empty component.
std::vector<uint64_t> IntegerWeights(const Sampling& sampling,
                                     const std::vector<uint64_t>& sizes) {
  std::vector<uint64_t> weights(sizes.size());
  if (sampling.kind != SamplingKind::kBalanced) {
    const double most =
        *std::max_element(sampling.weights.begin(), sampling.weights.end());
    for (size_t i = 0; i < sizes.size() && most > 0; ++i) {
      if (sizes[i] == 0) continue;
      // One division, rounded alike everywhere; the rest is exact.
      weights[i] = static_cast<uint64_t>(
          std::ldexp(sampling.weights[i] / most, kWeightBits));
    }
    return weights;
  }
  std::vector<Uint128> powers(sizes.size());
  Uint128 most = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] > 0) powers[i] = PowerQ32(sizes[i], sampling.alpha);
    most = std::max(most, powers[i]);
  }
  int shift = 0;
  while ((most >> shift) >= (uint64_t{1} << kWeightBits)) ++shift;
  for (size_t i = 0; i < sizes.size(); ++i) {
    weights[i] = static_cast<uint64_t>(powers[i] >> shift);
  }
  return weights;
}

}  // namespace

absl::StatusOr<Mixture> Mixture::Create(const Sampling& sampling,
                                        std::vector<uint64_t> sizes) {
  if (sampling.kind == SamplingKind::kBalanced &&
      !(sampling.alpha >= 0 && sampling.alpha <= 1)) {
    return Invalid(sampling, ".alpha: ",
                   absl::StrCat(sampling.alpha,
                                " is not in [0, 1]; 0 makes all classes "
                                "alike, 1 leaves them as they are"));
  }
  if (sizes.size() > kMaxComponents) {
    return Invalid(
        sampling, ": ",
        absl::StrCat(sizes.size(), " parts; at most ", kMaxComponents));
  }
  if (sampling.kind != SamplingKind::kBalanced) {
    absl::Status status = CheckWeights(sampling, sizes.size());
    if (!status.ok()) return status;
  }
  const std::vector<uint64_t> weights = IntegerWeights(sampling, sizes);
  Mixture mixture;
  Uint128 total = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    total += weights[i];
    if (weights[i] > 0) mixture.size += sizes[i];
  }
  if (total == 0 || mixture.size > Permutation::kMaxSize / 2) {
    return Invalid(sampling, ": ",
                   total == 0 ? "nothing that has drawings has a weight"
                              : "more than 2^62 drawings");
  }
  mixture.quotas.resize(sizes.size());
  std::vector<std::pair<Uint128, size_t>> remainders;
  uint64_t given = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const Uint128 share = static_cast<Uint128>(mixture.size) * weights[i];
    mixture.quotas[i] = static_cast<uint64_t>(share / total);
    given += mixture.quotas[i];
    // Sorted by falling remainder, then by number.
    if (weights[i] > 0) remainders.emplace_back(total - share % total, i);
  }
  std::sort(remainders.begin(), remainders.end());
  for (size_t i = 0; given < mixture.size; ++i, ++given) {
    ++mixture.quotas[remainders[i].second];
  }
  mixture.sizes = std::move(sizes);
  return mixture;
}

}  // namespace inkstream::order

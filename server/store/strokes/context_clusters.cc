#include "server/store/strokes/context_clusters.h"

#include <algorithm>
#include <cstddef>

namespace inkstream::store {
namespace {

constexpr int kRounds = 8;
constexpr int kFractionBits = 12;
// Counts are scaled before their logarithm, so that a symbol that a cluster
// has not seen costs much, but not without bound.
constexpr uint64_t kScale = 16;

// log2(value) in units of 2^-kFractionBits. REQUIRES: value >= 1.
uint32_t FixedLog2(uint64_t value) {
  const int whole = 63 - __builtin_clzll(value);
  // The mantissa in [1, 2) with 31 fraction bits, squared bit by bit.
  uint64_t mantissa =
      whole >= 31 ? value >> (whole - 31) : value << (31 - whole);
  uint32_t log = static_cast<uint32_t>(whole);
  for (int bit = 0; bit < kFractionBits; ++bit) {
    mantissa = (mantissa * mantissa) >> 31;
    log <<= 1;
    if (mantissa >> 32 != 0) {
      log |= 1;
      mantissa >>= 1;
    }
  }
  return log;
}

using Prices = std::array<uint32_t, kDeltaSymbols>;

uint64_t Total(const DeltaCounts& counts) {
  uint64_t total = 0;
  for (const uint32_t count : counts) total += count;
  return total;
}

// What each symbol costs under the code that suits `counts`.
Prices PricesOf(const DeltaCounts& counts) {
  const uint32_t log_total = FixedLog2(Total(counts) * kScale + kDeltaSymbols);
  Prices prices;
  for (int s = 0; s < kDeltaSymbols; ++s) {
    prices[s] = log_total - FixedLog2(uint64_t{counts[s]} * kScale + 1);
  }
  return prices;
}

size_t Cheapest(const DeltaCounts& counts, const std::vector<Prices>& prices) {
  size_t best = 0;
  uint64_t best_cost = UINT64_MAX;
  for (size_t c = 0; c < prices.size(); ++c) {
    uint64_t cost = 0;
    for (int s = 0; s < kDeltaSymbols; ++s) {
      cost += uint64_t{counts[s]} * prices[c][s];
    }
    if (cost < best_cost) {
      best_cost = cost;
      best = c;
    }
  }
  return best;
}

}  // namespace

Clusters ClusterContexts(absl::Span<const DeltaCounts> contexts) {
  Clusters result;
  result.of_context.assign(contexts.size(), 0);
  std::vector<uint32_t> seen;
  DeltaCounts all{};
  for (uint32_t c = 0; c < contexts.size(); ++c) {
    if (Total(contexts[c]) == 0) continue;
    seen.push_back(c);
    for (int s = 0; s < kDeltaSymbols; ++s) all[s] += contexts[c][s];
  }
  // The busiest contexts are the first centres.
  std::vector<uint32_t> busiest = seen;
  std::stable_sort(busiest.begin(), busiest.end(), [&](uint32_t a, uint32_t b) {
    return Total(contexts[a]) > Total(contexts[b]);
  });
  busiest.resize(std::min<size_t>(busiest.size(), kClusters));
  for (size_t k = 0; k < busiest.size(); ++k) {
    result.counts[k] = contexts[busiest[k]];
  }
  std::vector<Prices> prices;
  for (int round = 0; round < kRounds; ++round) {
    prices.clear();
    for (size_t k = 0; k < busiest.size(); ++k) {
      prices.push_back(PricesOf(result.counts[k]));
    }
    result.counts = {};
    for (const uint32_t c : seen) {
      const size_t best = Cheapest(contexts[c], prices);
      result.of_context[c] = static_cast<uint8_t>(best);
      for (int s = 0; s < kDeltaSymbols; ++s) {
        result.counts[best][s] += contexts[c][s];
      }
    }
  }
  const uint8_t fallback = static_cast<uint8_t>(Cheapest(all, prices));
  for (size_t c = 0; c < contexts.size(); ++c) {
    if (Total(contexts[c]) == 0) result.of_context[c] = fallback;
  }
  return result;
}

}  // namespace inkstream::store

#include "server/order/weight_slots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "absl/types/span.h"
#include "server/order/epoch_order.h"
#include "server/order/keyed_mix.h"

namespace inkstream::order {
namespace {

std::vector<uint32_t> RandomWeights(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint32_t> weights(size);
  for (uint32_t& weight : weights) {
    // From one to all of 32 bits, so that most are light and few very heavy.
    weight = static_cast<uint32_t>(random() >> (32 + random() % 32)) | 1U;
  }
  return weights;
}

// Walks along the line, where At() looks things up.
std::vector<WeightSlots::Drawn> AllSlots(const std::vector<uint32_t>& weights,
                                         uint64_t phase) {
  const auto size = static_cast<Uint128>(weights.size());
  Uint128 total = 0;
  for (const uint32_t weight : weights) total += weight;
  std::vector<WeightSlots::Drawn> drawn;
  uint64_t rank = 0;
  uint64_t occurrence = 0;
  Uint128 end = weights[0] * size;
  for (Uint128 slot = 0; slot < size; ++slot) {
    while (slot * total + phase >= end) {
      end += weights[++rank] * size;
      occurrence = 0;
    }
    drawn.push_back({rank, occurrence++});
  }
  return drawn;
}

TEST(WeightSlots, AnySlotIsThatOfAWalkAlongTheLine) {
  for (const size_t size : {1, 2, 63, 64, 65, 200, 5000}) {
    for (const uint64_t seed : {1, 2, 3}) {
      const std::vector<uint32_t> weights = RandomWeights(size, seed);
      const WeightSlots slots(weights);
      for (const uint64_t epoch : {0, 1, 9}) {
        const uint64_t phase = slots.PhaseOf(seed, epoch);
        const std::vector<WeightSlots::Drawn> all = AllSlots(weights, phase);
        for (uint64_t slot = 0; slot < size; ++slot) {
          const WeightSlots::Drawn drawn = slots.At(slot, phase);
          ASSERT_EQ(drawn.rank, all[slot].rank) << size << " " << slot;
          ASSERT_EQ(drawn.occurrence, all[slot].occurrence) << slot;
        }
      }
    }
  }
}

TEST(WeightSlots, ADrawingHasItsShareToTheWholeNumberAboveOrBelow) {
  const std::vector<uint32_t> weights = RandomWeights(3000, 7);
  const WeightSlots slots(weights);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (uint64_t epoch = 0; epoch < 5; ++epoch) {
    const uint64_t phase = slots.PhaseOf(4, epoch);
    std::vector<uint64_t> counts(weights.size());
    for (uint64_t s = 0; s < slots.size(); ++s)
      ++counts[slots.At(s, phase).rank];
    for (size_t i = 0; i < weights.size(); ++i) {
      const double share = weights.size() * (weights[i] / total);
      EXPECT_GE(counts[i], std::floor(share - 1e-9));
      EXPECT_LE(counts[i], std::ceil(share + 1e-9));
    }
  }
}

TEST(WeightSlots, OverEpochsSharesAreExactOnTheMean) {
  const std::vector<uint32_t> weights = {1, 5, 2, 90, 3, 1, 1, 7, 40, 2};
  const WeightSlots slots(weights);
  constexpr uint64_t kEpochs = 40'000;
  std::vector<double> counts(weights.size());
  for (uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
    const uint64_t phase = slots.PhaseOf(1, epoch);
    for (uint64_t s = 0; s < slots.size(); ++s)
      ++counts[slots.At(s, phase).rank];
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    const double share = 10.0 * weights[i] / 152;
    // A count is one of two whole numbers: of a variance up to a quarter.
    EXPECT_NEAR(counts[i] / kEpochs, share, 5 * 0.5 / std::sqrt(kEpochs)) << i;
  }
}

// Draws from drawings of these weights.
std::vector<Pick> PicksOf(const OrderSpec& given, std::vector<uint32_t> weights,
                          uint64_t epoch) {
  OrderSpec spec = given;
  spec.sampling.kind = SamplingKind::kDrawings;
  const auto mixture = std::make_shared<const Mixture>(Mixture::ByDrawing(
      std::make_shared<const WeightSlots>(std::move(weights))));
  const auto order = EpochOrder::Create(spec, mixture, epoch);
  std::vector<Pick> picks(order->size());
  order->PicksFrom(0, absl::MakeSpan(picks));
  return picks;
}

TEST(WeightSlots, EqualWeightsAreTheUniformOrder) {
  for (const ShuffleKind shuffle :
       {ShuffleKind::kFull, ShuffleKind::kWindow, ShuffleKind::kNone}) {
    const OrderSpec spec = {
        .seed = 3, .shuffle = shuffle, .shuffle_window = 99};
    const auto uniform = EpochOrder::Create(spec, 1000, 2);
    const std::vector<Pick> picks =
        PicksOf(spec, std::vector<uint32_t>(1000, 77), 2);
    for (uint64_t i = 0; i < 1000; ++i) {
      ASSERT_EQ(picks[i].rank, uniform->RankAt(i));
      ASSERT_EQ(picks[i].occurrence, 0U);
    }
  }
}

TEST(WeightSlots, AWindowReadsInRuns) {
  const OrderSpec spec = {
      .seed = 1, .shuffle = ShuffleKind::kWindow, .shuffle_window = 512};
  std::vector<uint32_t> weights(10'000);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = 1 + i % 5;
  const std::vector<Pick> picks = PicksOf(spec, weights, 0);
  std::vector<uint64_t> runs;
  for (size_t i = 0; i < 512; ++i) runs.push_back(picks[i].rank / 256);
  std::sort(runs.begin(), runs.end());
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  // Two chunks of slots, or three; each lies over two runs of drawings or
  // three.
  EXPECT_LE(runs.size(), 9U);
}

TEST(WeightSlots, OrdersAreThoseOnRecord) {
  std::vector<uint32_t> weights(200);
  for (uint64_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<uint32_t>(Mix(i) >> (32 + i % 20)) | 1U;
  }
  const std::vector<Pick> full = PicksOf({.seed = 5}, weights, 3);
  const std::vector<Pick> none =
      PicksOf({.seed = 5, .shuffle = ShuffleKind::kNone}, weights, 3);
  const auto shown = [](const std::vector<Pick>& picks) {
    std::vector<uint64_t> numbers;
    for (size_t i = 0; i < 200; i += 25) {
      numbers.push_back(picks[i].rank * 100 + picks[i].occurrence);
    }
    return numbers;
  };
  EXPECT_EQ(shown(full), (std::vector<uint64_t>{10104, 4009, 14101, 14012,
                                                10001, 2107, 14009, 14107}));
  EXPECT_EQ(shown(none), (std::vector<uint64_t>{100, 2200, 4015, 6200, 10102,
                                                12202, 14104, 18001}));
}

}  // namespace
}  // namespace inkstream::order

#include "server/order/mixture.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/order/integer_power.h"
#include "server/order/mix_schedule.h"

namespace inkstream::order {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Sampling Balanced(double alpha) { return {SamplingKind::kBalanced, alpha}; }
Sampling Weights(std::vector<double> weights) {
  return {SamplingKind::kWeights, 0, std::move(weights)};
}

TEST(IntegerPower, IsThePowerToSevenDigits) {
  for (const uint64_t n : {1ULL, 2ULL, 3ULL, 10ULL, 345ULL, 113'862ULL,
                           50'000'000ULL, (1ULL << 47U) + 12345ULL}) {
    for (const double alpha : {0.0, 0.25, 0.5, 1 / 3.0, 0.9, 1.0}) {
      const double wanted = std::pow(static_cast<double>(n), alpha);
      const double got =
          std::ldexp(static_cast<double>(PowerQ32(n, alpha)), -32);
      EXPECT_NEAR(got / wanted, 1, 1e-7) << n << "^" << alpha;
    }
  }
  // Golden: an order depends on every bit.
  EXPECT_EQ(static_cast<uint64_t>(PowerQ32(2, 0.5)), 6074000999U);
}

TEST(Mixture, BalancedGoesFromAlikeToAsTheyAre) {
  EXPECT_THAT(Mixture::Create(Balanced(0), {100, 10, 1})->quotas,
              ElementsAre(37, 37, 37));
  EXPECT_THAT(Mixture::Create(Balanced(1), {100, 10, 1})->quotas,
              ElementsAre(100, 10, 1));
  // 10 : 2 : 1 of 105.
  EXPECT_THAT(Mixture::Create(Balanced(0.5), {100, 4, 1})->quotas,
              ElementsAre(81, 16, 8));
}

TEST(Mixture, WhatHasNoWeightOrNoDrawingsHasNoPositions) {
  const Mixture some = *Mixture::Create(Weights({0, 3, 1, 2}), {50, 6, 6, 0});
  EXPECT_EQ(some.size, 12U);
  EXPECT_THAT(some.quotas, ElementsAre(0, 9, 3, 0));
}

TEST(Mixture, OfEqualRemaindersTheFirstIsRoundedUp) {
  EXPECT_THAT(Mixture::Create(Weights({1, 1, 1}), {1, 2, 2})->quotas,
              ElementsAre(2, 2, 1));
}

TEST(Mixture, ErrorsNameFieldValueAndLimit) {
  const auto text = [](const Sampling& sampling, std::vector<uint64_t> sizes) {
    const auto made = Mixture::Create(sampling, std::move(sizes));
    EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(made.status().message());
  };
  EXPECT_THAT(text(Balanced(1.5), {1}),
              HasSubstr("order.sampling.balanced.alpha: 1.5 is not in [0, 1]"));
  EXPECT_THAT(text(Balanced(NAN), {1}), HasSubstr("alpha"));
  EXPECT_THAT(text(Weights({1}), {1, 2}),
              HasSubstr("order.sampling.weights.weights: 1 weights for 2"));
  EXPECT_THAT(text(Weights({1, -1}), {1, 2}), HasSubstr("weights[1]: -1"));
  EXPECT_THAT(text(Weights({0, INFINITY}), {1, 2}), HasSubstr("weights[1]"));
  EXPECT_THAT(text(Weights({0, 1}), {5, 0}), HasSubstr("nothing that has"));
}

TEST(MixSchedule, EveryTurnComesOnceInOrderAndEvenly) {
  const std::vector<std::pair<Sampling, std::vector<uint64_t>>> cases = {
      {Balanced(0), {10, 10, 10, 10}},
      {Balanced(0.5), {5000, 100, 3}},
      {Balanced(1), {1}},
      {Weights({1, 1000}), {4000, 4}},
      {Weights({1, 0, 2}), {300, 5, 301}},
      {Balanced(0.3), std::vector<uint64_t>(345, 17)},
  };
  for (const auto& [sampling, sizes] : cases) {
    const auto mixture =
        std::make_shared<const Mixture>(*Mixture::Create(sampling, sizes));
    for (const uint64_t epoch : {0, 1}) {
      const MixSchedule schedule(mixture, 77, epoch);
      std::vector<uint64_t> next(sizes.size());
      for (uint64_t p = 0; p < mixture->size; ++p) {
        const MixSchedule::Turn turn = schedule.At(p);
        ASSERT_EQ(turn.turn, next[turn.component]++) << p;
        if ((p + 1) % schedule.block_size() != 0) continue;
        for (size_t c = 0; c < sizes.size(); ++c) {
          const double share = static_cast<double>(p + 1) *
                               static_cast<double>(mixture->quotas[c]) /
                               static_cast<double>(mixture->size);
          ASSERT_NEAR(static_cast<double>(next[c]), share, 2) << p << " " << c;
        }
      }
      EXPECT_EQ(next, mixture->quotas);
    }
  }
}

TEST(MixSchedule, TheSameForSeedAndEpochWhereverItIsEntered) {
  const auto mixture = std::make_shared<const Mixture>(
      *Mixture::Create(Balanced(0.5), {900, 400, 100, 25}));
  const MixSchedule forwards(mixture, 1, 2);
  const MixSchedule backwards(mixture, 1, 2);
  const MixSchedule other(mixture, 1, 3);
  std::vector<MixSchedule::Turn> turns;
  for (uint64_t p = 0; p < mixture->size; ++p) turns.push_back(forwards.At(p));
  uint64_t same = 0;
  for (uint64_t p = mixture->size; p-- > 0;) {
    ASSERT_EQ(backwards.At(p), turns[p]);
    same += other.At(p).component == turns[p].component ? 1 : 0;
  }
  EXPECT_LT(same, mixture->size * 3 / 4);
}

TEST(MixSchedule, RanksDoNotAlwaysGetTheSameClasses) {
  // Ten equal classes and steps of ten: a plain round would give each rank of a
  // half the same five in every step.
  const auto mixture = std::make_shared<const Mixture>(
      *Mixture::Create(Balanced(0), std::vector<uint64_t>(10, 100)));
  const MixSchedule schedule(mixture, 0, 0);
  std::set<std::set<uint32_t>> halves;
  for (uint64_t step = 0; step < 100; ++step) {
    std::set<uint32_t> half;
    for (uint64_t i = 0; i < 5; ++i) {
      half.insert(schedule.At(10 * step + i).component);
    }
    halves.insert(half);
  }
  EXPECT_GT(halves.size(), 50U);
}

}  // namespace
}  // namespace inkstream::order

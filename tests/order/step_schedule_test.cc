#include "server/order/step_schedule.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/order/epoch_order.h"

namespace inkstream::order {
namespace {

using testing::AllOf;
using testing::HasSubstr;

DeliverySpec Delivery(uint32_t batch_size, uint32_t world, Tail tail,
                      uint32_t rank = 0) {
  DeliverySpec delivery;
  delivery.batch_size = batch_size;
  delivery.world = world;
  delivery.rank = rank;
  delivery.tail = tail;
  return delivery;
}

StepSchedule Schedule(uint64_t size, const DeliverySpec& delivery,
                      EpochPosition start = {}) {
  absl::StatusOr<StepSchedule> schedule =
      StepSchedule::Create(size, delivery, start);
  EXPECT_TRUE(schedule.ok()) << schedule.status();
  return *std::move(schedule);
}

std::vector<Step> Steps(uint64_t size, const DeliverySpec& delivery,
                        EpochPosition start = {}) {
  const StepSchedule schedule = Schedule(size, delivery, start);
  StepSchedule::Walker walker = schedule.Walk();
  std::vector<Step> steps;
  while (std::optional<Step> step = walker.Next()) {
    steps.push_back(*step);
  }
  return steps;
}

// Valid positions of one rank's steps, in order.
std::vector<uint64_t> Positions(const Step& step, uint64_t size) {
  std::vector<uint64_t> positions;
  for (uint32_t i = 0; i < step.valid_rows; ++i) {
    positions.push_back((step.first + i) % size);
  }
  return positions;
}

std::string TailName(Tail tail) {
  switch (tail) {
    case Tail::kDrop:
      return "Drop";
    case Tail::kPartial:
      return "Partial";
    case Tail::kPad:
      return "Pad";
  }
  return "Unknown";
}

class Grid : public testing::TestWithParam<
                 std::tuple<uint64_t, uint32_t, uint32_t, Tail>> {
 protected:
  uint64_t size() const { return std::get<0>(GetParam()); }
  uint32_t batch() const { return std::get<1>(GetParam()); }
  uint32_t world() const { return std::get<2>(GetParam()); }
  Tail tail() const { return std::get<3>(GetParam()); }
  uint64_t step() const { return uint64_t{batch()} * world(); }
  bool refused() const { return tail() == Tail::kDrop && size() < step(); }

  // Some places to start at, ends included.
  std::vector<uint64_t> starts() const {
    std::set<uint64_t> places = {0, size() / 3, size() / 2, size() - 1, size()};
    for (const uint64_t left :
         {step() - 1, step(), step() + 1, 2 * step() - 1, 2 * step() + 1}) {
      if (left <= size()) {
        places.insert(size() - left);
      }
    }
    return {places.begin(), places.end()};
  }
};

TEST_P(Grid, RanksCoverTheRestOfTheEpochOnceAndInOrder) {
  if (refused()) {
    return;
  }
  for (const uint64_t start : starts()) {
    if (start == size()) {
      continue;
    }
    std::vector<std::vector<Step>> ranks;
    for (uint32_t rank = 0; rank < world(); ++rank) {
      ranks.push_back(
          Steps(size(), Delivery(batch(), world(), tail(), rank), {0, start}));
      ASSERT_EQ(ranks[rank].size(), ranks[0].size()) << "rank " << rank;
    }
    uint64_t next = start;
    for (size_t i = 0; i < ranks[0].size(); ++i) {
      uint32_t largest = 0;
      uint32_t smallest = ~0U;
      for (uint32_t rank = 0; rank < world(); ++rank) {
        const Step& step = ranks[rank][i];
        ASSERT_EQ(step.number, i);
        ASSERT_EQ(step.epoch, 0);
        ASSERT_EQ(step.after, ranks[0][i].after);
        ASSERT_LT(step.first, size());
        ASSERT_GE(step.rows, 1) << "an empty batch";
        ASSERT_LE(step.rows, batch());
        ASSERT_LE(step.valid_rows, step.rows);
        largest = std::max(largest, step.rows);
        smallest = std::min(smallest, step.rows);
        for (const uint64_t position : Positions(step, size())) {
          ASSERT_EQ(position, next) << "rank " << rank << " step " << i;
          ++next;
        }
        if (tail() == Tail::kPartial && step.valid_rows < step.rows) {
          ASSERT_EQ(step.rows, 1);
        }
      }
      ASSERT_LE(largest - smallest, tail() == Tail::kPartial ? 1 : 0);
      const bool last = i + 1 == ranks[0].size();
      ASSERT_EQ(ranks[0][i].after,
                last ? EpochPosition({1, 0}) : EpochPosition({0, next}));
      if (tail() != Tail::kPartial) {
        ASSERT_EQ(ranks[0][i].rows, batch()) << "shapes are fixed";
      }
    }
    const uint64_t left = size() - start;
    const uint64_t covered =
        tail() == Tail::kDrop ? left / step() * step() : left;
    EXPECT_EQ(next, start + covered);
    EXPECT_EQ(
        Schedule(size(), Delivery(batch(), world(), tail())).StepsFrom(start),
        ranks[0].size());
  }
}

TEST_P(Grid, EpochIsAPermutationOverAllRanks) {
  if (refused() || size() > 5000) {
    return;
  }
  for (const uint64_t seed : {0, 99}) {
    for (const uint64_t epoch : {0, 3}) {
      const auto order = EpochOrder::Create({.seed = seed}, size(), epoch);
      ASSERT_TRUE(order.ok());
      std::set<uint64_t> seen;
      uint64_t valid = 0;
      for (uint32_t rank = 0; rank < world(); ++rank) {
        DeliverySpec delivery = Delivery(batch(), world(), tail(), rank);
        delivery.epochs = epoch + 1;
        for (const Step& step : Steps(size(), delivery, {epoch, 0})) {
          for (const uint64_t position : Positions(step, size())) {
            seen.insert(order->RankAt(position));
            ++valid;
          }
        }
      }
      EXPECT_EQ(seen.size(), valid);
      EXPECT_EQ(valid,
                tail() == Tail::kDrop ? size() / step() * step() : size());
    }
  }
}

// Reads `steps` steps, then goes on with another world, batch size and tail.
TEST_P(Grid, CursorReopenedAtAnotherWorldLosesNothing) {
  if (refused()) {
    return;
  }
  const std::vector<Step> first =
      Steps(size(), Delivery(batch(), world(), tail()));
  std::vector<EpochPosition> places;
  for (const size_t at : {size_t{0}, first.size() / 2, first.size() - 1}) {
    if (at < first.size()) {
      places.push_back(first[at].after);
    }
  }
  if (first.size() >= 2) {
    places.push_back(first[first.size() - 2].after);
  }
  for (const EpochPosition& place : places) {
    if (place.epoch > 0) {
      continue;
    }
    for (const uint32_t other_world : {1, 3, 4}) {
      for (const uint32_t other_batch : {1, 5, 16}) {
        for (const Tail other_tail : {Tail::kPartial, Tail::kPad}) {
          std::vector<uint64_t> seen;
          for (uint32_t rank = 0; rank < other_world; ++rank) {
            for (const Step& step :
                 Steps(size(),
                       Delivery(other_batch, other_world, other_tail, rank),
                       place)) {
              for (const uint64_t position : Positions(step, size())) {
                seen.push_back(position);
              }
            }
          }
          std::sort(seen.begin(), seen.end());
          ASSERT_EQ(seen.size(), size() - place.position);
          for (uint64_t i = 0; i < seen.size(); ++i) {
            ASSERT_EQ(seen[i], place.position + i);
          }
        }
      }
    }
  }
}

TEST_P(Grid, StridesTogetherAreTheWholeStream) {
  if (refused()) {
    return;
  }
  DeliverySpec delivery = Delivery(batch(), world(), tail(), world() - 1);
  delivery.epochs = 3;
  const EpochPosition start{0, size() / 3};
  const std::vector<Step> whole = Steps(size(), delivery, start);
  for (const uint64_t stride : {1, 2, 3, 7}) {
    std::map<std::pair<uint64_t, uint64_t>, Step> joined;
    size_t count = 0;
    for (uint64_t offset = 0; offset < stride; ++offset) {
      delivery.step_offset = offset;
      delivery.step_stride = stride;
      for (const Step& step : Steps(size(), delivery, start)) {
        ASSERT_EQ(step.number % stride, offset);
        joined[{step.epoch, step.number}] = step;
        ++count;
      }
    }
    ASSERT_EQ(count, whole.size());
    ASSERT_EQ(joined.size(), whole.size());
    for (const Step& step : whole) {
      ASSERT_EQ(joined.at({step.epoch, step.number}), step);
    }
  }
}

TEST_P(Grid, StepAtAgreesWithTheWalk) {
  if (refused()) {
    return;
  }
  const DeliverySpec delivery = Delivery(batch(), world(), tail());
  const StepSchedule schedule = Schedule(size(), delivery);
  const std::vector<Step> steps = Steps(size(), delivery);
  for (size_t i = 0; i < steps.size(); ++i) {
    ASSERT_EQ(schedule.StepAt({0, 0}, i), steps[i]);
  }
  EXPECT_EQ(schedule.StepAt({0, 0}, steps.size()), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(
    StepSchedule, Grid,
    testing::Combine(testing::Values(1, 2, 3, 5, 8, 97, 127, 128, 129, 1023),
                     testing::Values(1, 2, 3, 16, 50),
                     testing::Values(1, 2, 3, 8),
                     testing::Values(Tail::kDrop, Tail::kPartial, Tail::kPad)),
    [](const auto& info) {
      return absl::StrCat(
          "Size", std::get<0>(info.param), "Batch", std::get<1>(info.param),
          "World", std::get<2>(info.param), TailName(std::get<3>(info.param)));
    });

TEST(StepSchedule, OfFiftyMillionIsExactAtItsEnd) {
  constexpr uint64_t kSize = 50'000'000;
  for (const Tail tail : {Tail::kDrop, Tail::kPartial, Tail::kPad}) {
    uint64_t valid = 0;
    for (uint32_t rank = 0; rank < 24; ++rank) {
      const StepSchedule schedule =
          Schedule(kSize, Delivery(192, 24, tail, rank));
      const uint64_t steps = schedule.StepsFrom(0);
      EXPECT_EQ(steps, tail == Tail::kDrop ? 10850 : 10851);
      for (uint64_t i = steps - 3; i < steps; ++i) {
        valid += schedule.StepAt({0, 0}, i)->valid_rows;
      }
      EXPECT_EQ(schedule.StepAt({0, 0}, steps - 1)->after,
                EpochPosition({1, 0}));
    }
    EXPECT_EQ(valid, tail == Tail::kDrop
                         ? 3 * 192 * 24
                         : kSize - (uint64_t{10851} - 3) * 192 * 24);
  }
}

TEST(DropTail, OpenedNearTheEndGoesOnToTheNextEpoch) {
  DeliverySpec delivery = Delivery(4, 2, Tail::kDrop);
  delivery.epochs = 2;
  const std::vector<Step> steps = Steps(20, delivery, {0, 13});
  ASSERT_EQ(steps.size(), 2);
  EXPECT_EQ(steps[0], (Step{.epoch = 1,
                            .number = 0,
                            .first = 0,
                            .rows = 4,
                            .valid_rows = 4,
                            .after = {1, 8}}));
  EXPECT_EQ(steps[1].after, EpochPosition({2, 0}));
}

TEST(DropTail, OpenedNearTheEndOfTheLastEpochYieldsNothing) {
  EXPECT_TRUE(Steps(20, Delivery(4, 2, Tail::kDrop), {0, 13}).empty());
}

TEST(DropTail, OfAViewSmallerThanAStepNamesTheNumbersAndTheRemedy) {
  const auto schedule =
      StepSchedule::Create(1000, Delivery(256, 4, Tail::kDrop), {});
  EXPECT_EQ(schedule.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(schedule.status().message(),
              AllOf(HasSubstr("1000"), HasSubstr("world 4"), HasSubstr("256"),
                    HasSubstr("1024"), HasSubstr("batch_size of at most 250"),
                    HasSubstr("tail \"partial\"")));
  EXPECT_THAT(StepSchedule::Create(3, Delivery(1, 4, Tail::kDrop), {})
                  .status()
                  .message(),
              HasSubstr("world of at most 3"));
}

// (rows, valid rows) of each step of each rank.
std::vector<std::vector<std::pair<int, int>>> Shapes(uint64_t size,
                                                     uint32_t batch,
                                                     uint32_t world,
                                                     Tail tail) {
  std::vector<std::vector<std::pair<int, int>>> shapes(world);
  for (uint32_t rank = 0; rank < world; ++rank) {
    for (const Step& step : Steps(size, Delivery(batch, world, tail, rank))) {
      shapes[rank].emplace_back(step.rows, step.valid_rows);
    }
  }
  return shapes;
}

using Rows = std::vector<std::vector<std::pair<int, int>>>;

TEST(PartialTail, LastTwoStepsShareWhatIsLeft) {
  // 21 = 8 + 13: the last two steps get 7 and 6.
  EXPECT_EQ(Shapes(21, 4, 2, Tail::kPartial),
            (Rows{{{4, 4}, {4, 4}, {3, 3}}, {{4, 4}, {3, 3}, {3, 3}}}));
}

TEST(PartialTail, ExactEpochHasOnlyWholeSteps) {
  EXPECT_EQ(Shapes(16, 4, 2, Tail::kPartial),
            (Rows{{{4, 4}, {4, 4}}, {{4, 4}, {4, 4}}}));
}

TEST(PartialTail, BatchesOfOneEndWithAnInvalidRow) {
  EXPECT_EQ(Shapes(5, 1, 3, Tail::kPartial),
            (Rows{{{1, 1}, {1, 1}}, {{1, 1}, {1, 1}}, {{1, 1}, {1, 0}}}));
}

TEST(PartialTail, FewerDrawingsThanRanksGiveOneInvalidRow) {
  EXPECT_EQ(Shapes(2, 8, 3, Tail::kPartial),
            (Rows{{{1, 1}}, {{1, 1}}, {{1, 0}}}));
}

TEST(PadTail, KeepsShapesAndWrapsWithinTheEpoch) {
  EXPECT_EQ(Shapes(10, 4, 2, Tail::kPad),
            (Rows{{{4, 4}, {4, 2}}, {{4, 4}, {4, 0}}}));
  const std::vector<Step> steps = Steps(10, Delivery(4, 2, Tail::kPad, 1));
  EXPECT_EQ(steps[1].first, 2);  // position 12 of 10
}

TEST(PadTail, OfFewerDrawingsThanAStepWrapsMoreThanOnce) {
  const std::vector<Step> steps = Steps(3, Delivery(8, 2, Tail::kPad, 1));
  ASSERT_EQ(steps.size(), 1);
  EXPECT_EQ(steps[0], (Step{.epoch = 0,
                            .number = 0,
                            .first = 2,
                            .rows = 8,
                            .valid_rows = 0,
                            .after = {1, 0}}));
}

TEST(Epochs, EndTheStreamWhereverItStarted) {
  DeliverySpec delivery = Delivery(5, 1, Tail::kDrop);
  delivery.epochs = 3;
  EXPECT_EQ(Steps(20, delivery).size(), 12);
  EXPECT_EQ(Steps(20, delivery, {2, 10}).size(), 2);
  EXPECT_TRUE(Steps(20, delivery, {3, 0}).empty());
  EXPECT_TRUE(Steps(20, delivery, {7, 5}).empty());
  EXPECT_TRUE(Steps(20, delivery, {2, 20}).empty());
}

TEST(Epochs, StartAtTheEndOfAnEpochIsTheNextOne) {
  DeliverySpec delivery = Delivery(5, 1, Tail::kDrop);
  delivery.epochs = 2;
  const std::vector<Step> steps = Steps(20, delivery, {0, 20});
  ASSERT_EQ(steps.size(), 4);
  EXPECT_EQ(steps[0].epoch, 1);
}

TEST(Epochs, ForeverGoesOn) {
  DeliverySpec delivery = Delivery(5, 1, Tail::kPartial);
  delivery.epochs = std::nullopt;
  const StepSchedule schedule = Schedule(7, delivery);
  StepSchedule::Walker walker = schedule.Walk();
  for (uint64_t i = 0; i < 1000; ++i) {
    const std::optional<Step> step = walker.Next();
    ASSERT_TRUE(step.has_value());
    ASSERT_EQ(step->epoch, i / 2);
  }
  EXPECT_EQ(walker.place(), EpochPosition({500, 0}));
}

TEST(Walker, StrideThatNoStepMatchesEndsEvenAnEndlessStream) {
  DeliverySpec delivery = Delivery(10, 1, Tail::kDrop);
  delivery.epochs = std::nullopt;
  delivery.step_offset = 5;
  delivery.step_stride = 8;
  const StepSchedule schedule = Schedule(20, delivery, {0, 15});
  StepSchedule::Walker walker = schedule.Walk();
  EXPECT_EQ(walker.Next(), std::nullopt);
  EXPECT_EQ(walker.place(), EpochPosition({0, 15}));
}

TEST(Walker, PlaceIsAfterTheLastStepReturned) {
  const StepSchedule schedule =
      Schedule(20, Delivery(5, 2, Tail::kDrop), {0, 0});
  StepSchedule::Walker walker = schedule.Walk();
  EXPECT_EQ(walker.place(), EpochPosition({0, 0}));
  EXPECT_TRUE(walker.Next().has_value());
  EXPECT_EQ(walker.place(), EpochPosition({0, 10}));
  EXPECT_TRUE(walker.Next().has_value());
  EXPECT_EQ(walker.Next(), std::nullopt);
  EXPECT_EQ(walker.Next(), std::nullopt);
  EXPECT_EQ(walker.place(), EpochPosition({1, 0}));
}

TEST(StepSchedule, RefusesWhatCannotBeCutNamingTheField) {
  const auto refuses = [](uint64_t size,
                          const std::function<void(DeliverySpec*)>& spoil,
                          EpochPosition start, const std::string& field) {
    DeliverySpec delivery = Delivery(4, 2, Tail::kDrop);
    spoil(&delivery);
    const auto schedule = StepSchedule::Create(size, delivery, start);
    EXPECT_EQ(schedule.status().code(), absl::StatusCode::kInvalidArgument)
        << field;
    EXPECT_THAT(schedule.status().message(), HasSubstr(field));
  };
  const auto keep = [](DeliverySpec*) {};
  refuses(0, keep, {}, "no drawings");
  refuses((uint64_t{1} << 63U) + 1, keep, {}, "2^63");
  refuses(
      100, [](DeliverySpec* d) { d->batch_size = 0; }, {}, "batch_size");
  refuses(
      100, [](DeliverySpec* d) { d->world = 0; }, {}, "world");
  refuses(
      100, [](DeliverySpec* d) { d->rank = 2; }, {}, "rank = 2");
  refuses(
      100, [](DeliverySpec* d) { d->step_stride = 0; }, {}, "step_stride");
  refuses(
      100, [](DeliverySpec* d) { d->step_offset = 1; }, {}, "step_offset");
  refuses(
      100, [](DeliverySpec* d) { d->step_stride = ~uint64_t{0}; }, {},
      "step_stride");
  refuses(
      100,
      [](DeliverySpec* d) {
        d->batch_size = ~0U;
        d->world = ~0U;
        d->tail = Tail::kPad;
      },
      {}, "2^62");
  refuses(
      100, [](DeliverySpec* d) { d->tail = static_cast<Tail>(9); }, {},
      "tail = 9");
  refuses(100, keep, {0, 101}, "cursor.position = 101");
  refuses(100, keep, {~uint64_t{0}, 0}, "cursor.epoch");
}

}  // namespace
}  // namespace inkstream::order

// A strided stream that is opened anew after every batch sees the steps that it
// would have seen in one piece.
#include "client/cpp/stream/resume_point.h"

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "server/order/step_schedule.h"

namespace inkstream::client {
namespace {

using order::EpochPosition;
using order::Step;
using order::StepSchedule;

constexpr uint64_t kDrawings = 103;

Cursor CursorAt(const EpochPosition& place) {
  Cursor cursor;
  cursor.epoch = place.epoch;
  cursor.position = place.position;
  return cursor;
}

// (epoch, first row, rows, number) of every step; opened anew after each `cut`
// batches.
std::vector<std::tuple<uint64_t, uint64_t, uint32_t, uint64_t>> StepsOf(
    const Plan& plan, int cut) {
  std::vector<std::tuple<uint64_t, uint64_t, uint32_t, uint64_t>> steps;
  ResumePoint resume_point(plan);
  for (int openings = 0; openings < 1000; ++openings) {
    const Plan opening = resume_point.Opening();
    const EpochPosition start = {opening.start->epoch, opening.start->position};
    const auto schedule =
        StepSchedule::Create(kDrawings, opening.delivery, start);
    EXPECT_TRUE(schedule.ok()) << schedule.status();
    StepSchedule::Walker walker = schedule->Walk();
    int taken = 0;
    for (; taken < cut && !resume_point.complete(); ++taken) {
      const std::optional<Step> step = walker.Next();
      if (!step.has_value()) break;
      steps.emplace_back(step->epoch, step->first, step->rows,
                         resume_point.Passed(CursorAt(step->after), step->epoch,
                                             step->number));
    }
    if (resume_point.complete()) return steps;
    if (taken < cut && resume_point.Ended(CursorAt(walker.place())))
      return steps;
  }
  ADD_FAILURE() << "no end";
  return steps;
}

TEST(ResumePoint, OpenedAnewAnywhereItSeesTheSameSteps) {
  for (const Tail tail : {Tail::kDrop, Tail::kPartial, Tail::kPad}) {
    for (const uint64_t stride : {1, 2, 3, 5, 30}) {
      for (uint64_t offset = 0; offset < stride; ++offset) {
        for (const uint64_t position : {0, 17, 99, 103}) {
          for (const uint64_t max_batches : {0, 4}) {
            Plan plan;
            plan.start = CursorAt({0, position});
            plan.delivery.batch_size = 3;
            plan.delivery.world = 2;
            plan.delivery.tail = tail;
            plan.delivery.epochs = 3;
            plan.delivery.step_offset = offset;
            plan.delivery.step_stride = stride;
            plan.delivery.max_batches = max_batches;
            const auto whole = StepsOf(plan, 1'000'000);
            for (const int cut : {1, 2, 7}) {
              ASSERT_EQ(StepsOf(plan, cut), whole)
                  << "stride " << stride << " offset " << offset << " from "
                  << position << " cut " << cut;
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace inkstream::client

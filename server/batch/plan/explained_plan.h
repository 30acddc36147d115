// What a stream of a plan would deliver, step by step, without one.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/cursor.h"
#include "server/order/step_schedule.h"

namespace inkstream::batch {

// Which steps to list.
struct StepsAsked {
  uint64_t epoch = 0;  // where the plan has no start
  uint64_t first = 0;  // counted from the place where the epoch is entered
  uint32_t count = 0;
  bool all_ranks = false;  // drawings of all ranks, rank by rank
};

struct PlannedStep {
  order::Step step;  // of the plan's rank
  uint64_t bytes = 0;
  std::vector<int64_t> indices;  // in the store
  std::vector<uint64_t> occurrences;
};

// A class, or a view of a mix.
struct PlannedComponent {
  std::string name;
  uint64_t drawings = 0;
  uint64_t positions = 0;  // an epoch
};

struct ExplainedPlan {
  std::string dataset;
  Cursor start;  // order_plan is set
  uint64_t view_size = 0;
  uint64_t epoch_size = 0;  // positions
  uint64_t steps_per_epoch = 0;
  uint64_t steps_left = 0;  // from where the epoch is entered
  uint64_t step_drawings = 0;
  uint64_t batch_bytes = 0;
  std::vector<PlannedComponent> components;  // empty: uniform
  std::vector<PlannedStep> steps;
};

}  // namespace inkstream::batch

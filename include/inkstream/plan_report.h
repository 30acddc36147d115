// What a stream of a plan would deliver, without one: counts, and the drawings
// of the steps asked for ("what was in step N").
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/cursor.h"

namespace inkstream {

// Which steps to list: of `epoch` or, where the plan has a start, counted from
// there. The server lists fewer at the epoch's end, or where an answer would be
// longer than its largest batch (one at least).
struct StepQuery {
  uint64_t epoch = 0;  // where the plan has no start
  uint64_t first = 0;
  uint32_t count = 1;      // 0: counts only
  bool all_ranks = false;  // drawings of all ranks, rank by rank
};

struct PlanReport {
  struct Step {
    uint64_t epoch = 0;
    uint64_t step = 0;             // within the epoch as it was entered
    uint64_t position = 0;         // of the first row, in the epoch's order
    Cursor cursor;                 // behind the step
    std::vector<int64_t> indices;  // in the store, row by row
    std::vector<uint64_t> occurrences;  // how often each came before
    uint32_t valid_rows = 0;            // of this rank; those behind only fill
    uint64_t bytes = 0;                 // of this rank's batch
  };
  // A class or a view that a sampled order draws from.
  struct Component {
    std::string name;
    uint64_t drawings = 0;
    uint64_t positions = 0;  // an epoch
  };

  std::string dataset;
  Cursor start;                       // order_plan is set
  uint64_t view_drawings = 0;         // of the view
  uint64_t epoch_drawings = 0;        // positions of an epoch
  uint64_t steps_per_epoch = 0;       // of this rank, from position 0
  uint64_t steps_left = 0;            // from where the epoch is entered
  uint64_t step_drawings = 0;         // of a whole step, all ranks
  uint64_t batch_bytes = 0;           // of a whole batch of one rank
  std::vector<Component> components;  // empty: every drawing once
  std::vector<Step> steps;
};

}  // namespace inkstream

// Where a stream goes on, and what its stride means there.
//
// A cursor is a place of all ranks; it does not tell how far a stream with
// step_stride > 1 is from its next own step. Steps are counted from the cursor
// a stream is opened at, so behind one of its own steps the next one is the
// last of a whole stride: step_stride - 1. That holds to the end of the epoch
// only; the next one is opened anew, with the offset as it was given.
//
// Thread safety: for one thread.
#pragma once

#include <cstdint>

#include "inkstream/plan.h"

namespace inkstream::client {

class ResumePoint {
 public:
  explicit ResumePoint(const Plan& plan);

  // What to ask for now.
  Plan Opening();

  // The first answer: from now on the stream is about this data, from here.
  void Accepted(const Cursor& start);

  // A batch of `epoch` was received; `after` is the place behind it. `step`:
  // its number as the present opening counts; returns it as the first one did,
  // so that going on elsewhere does not show.
  uint64_t Passed(const Cursor& after, uint64_t epoch, uint64_t step);

  // The server has sent all that was asked for, up to `end`. Whether this is
  // the end; if not, the place is where the next epoch begins.
  bool Ended(const Cursor& end);

  // As many batches as the plan allows have come.
  bool complete() const { return bounded_ && left_ == 0; }

  // REQUIRES: Accepted() or a plan with a start.
  const Cursor& place() const { return *plan_.start; }

 private:
  Plan plan_;
  const bool bounded_;     // by max_batches
  uint64_t left_;          // of those
  bool apart_ = false;     // behind an own step, in the midst of an epoch
  bool to_epoch_ = false;  // the present opening ends with its epoch

  // Steps of an epoch that are behind a place in its midst.
  struct Behind {
    uint64_t epoch = 0;
    uint64_t steps = 0;
  };
  Behind opened_;  // at which the present opening began
  Behind now_;
};

}  // namespace inkstream::client

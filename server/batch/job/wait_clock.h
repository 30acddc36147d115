// What a stream waits for, one thing at a time: the states exclude each other
// and together are all of its time.
//
// Thread safety: not safe; the stream's mutex guards it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "server/batch/batch_stream.h"
#include "server/batch/job/stage_times.h"

namespace inkstream::batch {

class WaitClock {
 public:
  enum class State : uint8_t {
    kClient,  // no credit
    kMemory,  // a credit, and nothing to lay its batch out in
    kQueue,   // no worker is at the batch that is due
    kWork,    // some is
    kReady,   // the batch can be taken
  };

  // From now on. A stream begins with kClient.
  void Enter(State state) {
    const Clock::time_point now = Clock::now();
    spent_[static_cast<size_t>(state_)] += now - since_;
    since_ = now;
    state_ = state;
  }

  // What workers have done for the batch that is due says where the time in
  // kWork went that was not split before; while that is nothing, what they did
  // before.
  void Split(const StageTimes& stages) {
    Enter(state_);
    if (stages.sum() > 0) shares_ = stages;
    const double seconds =
        std::chrono::duration<double>(
            std::exchange(spent_[static_cast<size_t>(State::kWork)], {}))
            .count() /
        shares_.sum();
    work_ += shares_ * seconds;
  }

  // So far, without work that is not split yet. No figure ever falls.
  WaitTimes times() const {
    return {work_, SecondsIn(State::kClient), SecondsIn(State::kMemory),
            SecondsIn(State::kQueue) + SecondsIn(State::kReady)};
  }

 private:
  using Clock = std::chrono::steady_clock;

  double SecondsIn(State state) const {
    Clock::duration spent = spent_[static_cast<size_t>(state)];
    if (state == state_) spent += Clock::now() - since_;
    return std::chrono::duration<double>(spent).count();
  }

  State state_ = State::kClient;
  Clock::time_point since_ = Clock::now();
  std::array<Clock::duration, 5> spent_ = {};
  StageTimes work_;  // that was split
  StageTimes shares_ = {.draw = 1};
};

}  // namespace inkstream::batch

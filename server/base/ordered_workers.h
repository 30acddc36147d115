// Work on several threads, results in order, bounded memory.
//
// Thread safety: RunInOrder returns when its threads have ended.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace inkstream {

template <typename Task, typename Result>
struct OrderedStages {
  // Fills the next task; false: there are no more. Called by one thread at a
  // time, which then also works on the task: reading the input needs no thread
  // and no queue of its own.
  std::function<absl::StatusOr<bool>(Task*)> next;
  // Called once a thread: what turns that thread's tasks into results.
  std::function<std::function<absl::StatusOr<Result>(Task&)>()> new_worker;
  // Called on the calling thread, in the order of the tasks.
  std::function<absl::Status(Result)> take;
};

// At most 2 * threads + 2 results wait. Whatever comes before the first error
// is taken; then that error is returned.
template <typename Task, typename Result>
class OrderedWorkers {
 public:
  OrderedWorkers(int threads, OrderedStages<Task, Result> stages)
      : threads_(threads < 1 ? 1 : threads),
        stages_(std::move(stages)),
        slots_(2 * static_cast<size_t>(threads_) + 2) {}

  absl::Status Run() {
    std::vector<std::thread> pool;
    for (int i = 0; i < threads_; ++i) {
      pool.emplace_back([this] { Work(); });
    }
    absl::Status status = TakeAll();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : pool) thread.join();
    return status;
  }

 private:
  // Of a task; nullopt: there are no more.
  using Outcome = absl::StatusOr<std::optional<Result>>;

  bool WaitForRoom(uint64_t sequence) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(
        lock, [&] { return stopped_ || sequence < taken_ + slots_.size(); });
    return !stopped_;
  }

  void Post(uint64_t sequence, Outcome outcome) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      slots_[sequence % slots_.size()] = std::move(outcome);
    }
    changed_.notify_all();
  }

  void Work() {
    const auto work = stages_.new_worker();
    Task task;
    for (;;) {
      uint64_t sequence = 0;
      {
        std::lock_guard<std::mutex> lock(next_mutex_);
        if (exhausted_) return;
        sequence = claimed_++;
        if (!WaitForRoom(sequence)) return;
        absl::StatusOr<bool> more = stages_.next(&task);
        if (!more.ok() || !*more) {
          exhausted_ = true;
          Post(sequence, more.ok() ? Outcome(std::nullopt) : more.status());
          return;
        }
      }
      Post(sequence, work(task));
    }
  }

  absl::Status TakeAll() {
    for (;;) {
      std::optional<Outcome> outcome;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        std::optional<Outcome>& next = slots_[taken_ % slots_.size()];
        changed_.wait(lock, [&] { return next.has_value(); });
        outcome = std::exchange(next, std::nullopt);
        ++taken_;
      }
      changed_.notify_all();
      if (!outcome->ok()) return outcome->status();
      std::optional<Result>& result = **outcome;
      if (!result.has_value()) return absl::OkStatus();
      absl::Status taken = stages_.take(*std::move(result));
      if (!taken.ok()) return taken;
    }
  }

  const int threads_;
  const OrderedStages<Task, Result> stages_;

  std::mutex next_mutex_;  // guards claimed_, exhausted_ and calls of next
  uint64_t claimed_ = 0;
  bool exhausted_ = false;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<std::optional<Outcome>> slots_;  // null: not there yet
  uint64_t taken_ = 0;
  bool stopped_ = false;
};

template <typename Task, typename Result>
absl::Status RunInOrder(int threads, OrderedStages<Task, Result> stages) {
  return OrderedWorkers<Task, Result>(threads, std::move(stages)).Run();
}

}  // namespace inkstream

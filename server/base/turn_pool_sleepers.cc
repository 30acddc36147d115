// What of TurnPool is about turns that sleep in a disk.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "server/base/turn_pool.h"

namespace inkstream {
namespace {

// Who is at the same turn for as long, and not running, is taken to sleep.
// Pieces of work take half a millisecond.
constexpr std::chrono::milliseconds kLookEvery(5);
// Whose turn has used so little of its time did nothing but sleep.
constexpr double kNothing = 0.01;

}  // namespace

void TurnPool::Begin(Thread* thread, const std::string& disk) {
  ++busy_;
  thread->busy = true;
  ++thread->turn;
  ReadFrom(thread, disk);
  thread->begun = Clock::now();
  thread->cpu_nanos = ThreadCpuNanos(thread->id);
  TellWatcher();
}

void TurnPool::End(Thread* thread) {
  --busy_;
  thread->busy = false;
  ReadFrom(thread, "");
}

void TurnPool::ReadFrom(Thread* thread, const std::string& disk) {
  if (std::exchange(thread->asleep, false)) {
    asleep_.Wake(thread->disk);
    // What waited for room is not always what this thread takes next.
    work_.notify_one();
  }
  asleep_.End(thread->disk);
  thread->disk = disk;
  asleep_.Begin(disk);
  if (asleep_.IsSlow(disk)) FallAsleep(thread);
}

void TurnPool::FallAsleep(Thread* thread) {
  thread->asleep = true;
  asleep_.Sleep(thread->disk);
  work_.notify_one();
}

bool TurnPool::MaySleepIn(const std::string& disk) {
  const pid_t id = gettid();
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found =
      std::find_if(running_.begin(), running_.end(),
                   [id](const Thread* thread) { return thread->id == id; });
  if (found == running_.end() || (*found)->disk == disk) return true;
  if (!asleep_.HasRoom(disk, thread_count_)) return false;
  ReadFrom(*found, disk);
  TellWatcher();
  return true;
}

void TurnPool::TellWatcher() {
  if (!watcher_.joinable() || turns_.empty()) return;
  if (HasPlace() ? LacksThread() : !watches_) watch_.notify_one();
}

void TurnPool::WatchSleepers() {
  std::unique_lock<std::mutex> lock(mu_);
  while (!stopped_ && !paused_) {
    if (LacksThread()) {
      try {
        StartThread();
      } catch (const std::system_error&) {
        watch_.wait_for(lock, kLookEvery);
      }
    } else if (turns_.empty() || HasPlace()) {
      watch_.wait(lock);
    } else {
      watches_ = true;
      LookForSleepers(&lock);
      watch_.wait_for(lock, kLookEvery,
                      [this] { return stopped_ || paused_ || LacksThread(); });
      watches_ = false;
    }
  }
}

void TurnPool::LookForSleepers(std::unique_lock<std::mutex>* lock) {
  struct Turn {
    Thread* thread;
    pid_t id;
    uint64_t number;
  };
  std::vector<Turn> same;
  for (Thread* const thread : running_) {
    if (!thread->busy || thread->asleep || thread->disk.empty()) continue;
    if (thread->looked_at == thread->turn) {
      same.push_back({thread, thread->id, thread->turn});
    }
    thread->looked_at = thread->turn;
  }
  if (same.empty()) return;
  lock->unlock();
  std::erase_if(same, [](const Turn& turn) { return !ThreadSleeps(turn.id); });
  lock->lock();
  for (const auto& [thread, id, number] : same) {
    if (!running_.contains(thread) || thread->turn != number || !thread->busy ||
        thread->asleep) {
      continue;
    }
    asleep_.NoteSlow(thread->disk);
    FallAsleep(thread);
  }
}

double TurnPool::LongestSleep(const std::string& disk) {
  const std::lock_guard<std::mutex> lock(mu_);
  double longest = 0;
  for (const Thread* const thread : running_) {
    if (!thread->busy || thread->disk != disk) continue;
    const std::chrono::duration<double> lasted = Clock::now() - thread->begun;
    const double used = 1e-9 * static_cast<double>(ThreadCpuNanos(thread->id) -
                                                   thread->cpu_nanos);
    if (used < kNothing * lasted.count()) {
      longest = std::max(longest, lasted.count());
    }
  }
  return longest;
}

}  // namespace inkstream

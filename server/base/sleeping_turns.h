// Turns of a pool that sleep in a disk, and how many of each disk's may.
//
// A thread in a page fault or a blocked read needs no core, so others take its
// place. How many they are is bounded, and the sleepers of one disk must leave
// room for those of others: a disk has as many as the pool has threads, at most
// half of what other disks have left of the bound.
//
// Thread safety: not safe; the pool's mutex guards it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace inkstream {

class SleepingTurns {
 public:
  // That are made up for, in a pool of so many threads.
  static int Most(int threads);

  int all() const { return all_; }

  // A turn that may sleep in the disk ("": in none) begins, and ends awake.
  void Begin(const std::string& disk);
  void End(const std::string& disk);

  // Whether the disk has room for one more turn: always where nobody sleeps
  // in it.
  bool HasRoom(const std::string& disk, int threads) const;

  // Whether turns slept in it a moment ago: the next one is taken to sleep
  // before it does.
  bool IsSlow(const std::string& disk) const;

  // One of its turns.
  void Sleep(const std::string& disk);
  // It was seen to.
  void NoteSlow(const std::string& disk);
  void Wake(const std::string& disk);

 private:
  using Clock = std::chrono::steady_clock;
  struct Disk {
    int turns = 0;
    int asleep = 0;  // of these
    Clock::time_point slow_until;
  };

  int all_ = 0;
  std::map<std::string, Disk> disks_;  // with turns, and slow ones
};

// Whether the thread of this process waits for something at this moment.
bool ThreadSleeps(pid_t thread);
// Of the processor that it has used so far.
int64_t ThreadCpuNanos(pid_t thread);

}  // namespace inkstream

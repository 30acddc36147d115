// Permits to read requests, so that those which are coming in take no more
// memory than there is for them, however many calls begin at once: gRPC keeps
// what has come of a message until all of it is there.
//
// Whoever waits for a permit is served fairly: first the caller who has fewest,
// of one caller the oldest. While somebody waits, a permit may be held for
// `patience`; then it is taken back, that of the caller who has most, the
// longest held of those. So requests that drip hold up nobody for long.
//
// Thread safety: every method may be called from any thread. A thread of its
// own takes permits back.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "absl/status/status.h"

namespace inkstream::transport {

class ReadPermits {
 public:
  struct Limits {
    size_t permits = 4;
    size_t waiting = 4096;
    std::chrono::milliseconds patience{1000};
    // Of a permit that nobody else waits for.
    std::chrono::milliseconds longest{60'000};
  };

  explicit ReadPermits(const Limits& limits);
  ~ReadPermits();

  // `begin` is called once there is a permit for `reader`, perhaps at once, and
  // with a lock held: it must not come back here. Instead of that, or after it,
  // `end` may be called, without the lock: the permit is refused or taken back.
  // RESOURCE_EXHAUSTED with reason OVERLOADED: others wait; UNAVAILABLE with
  // reason IDLE: nothing has come.
  // REQUIRES: `reader` neither waits nor has one.
  void Acquire(const void* reader, const std::string& caller,
               std::function<void()> begin,
               std::function<void(absl::Status)> end);

  // Counts at once, and for permits that are held already.
  void SetLongest(std::chrono::milliseconds longest);

  // Gives the permit back, or waits no more: neither function is called from
  // now on. False: `end` has been called or is about to be, or there was none.
  bool Release(const void* reader);

 private:
  using Clock = std::chrono::steady_clock;

  struct Count {
    size_t reading = 0;
    size_t all = 0;
  };
  using Callers = std::map<std::string, Count>;
  struct Entry {
    const void* reader;
    Callers::iterator caller;
    std::function<void()> begin;
    std::function<void(absl::Status)> end;
    Clock::time_point since;  // it has the permit
    bool reading = false;
  };
  using Entries = std::list<Entry>;

  void Watch();
  // All with mu_ held.
  void Serve();
  Entry Take(Entries::iterator entry);
  Entries::iterator NextToTakeBack();
  Entries::iterator YoungestOfBusiest();

  Limits limits_;  // `longest` by mu_; the others stay
  std::mutex mu_;  // guards everything below
  std::condition_variable changed_;
  Callers callers_;
  Entries waiting_;  // in order of arrival
  Entries reading_;  // the longest first
  std::unordered_map<const void*, Entries::iterator> places_;
  bool asleep_ = false;  // the thread, until there is a reader
  bool stopped_ = false;
  std::thread watcher_;
};

}  // namespace inkstream::transport

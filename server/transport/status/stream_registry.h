// All open streams of a server: for GetStatus, for draining, and for ending
// those that are stuck or have had their time.
//
// Thread safety: every method may be called from any thread. A thread of its
// own looks for stalled streams.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "server/transport/call_observer.h"
#include "server/transport/status/service_counts.h"
#include "server/transport/stream_session.h"

namespace inkstream::transport {

class StreamRegistry {
 public:
  // A stream that makes no progress for `stall` although it could is ended. One
  // that has lasted `max_age`, give or take a tenth, is told to open again:
  // clients find replicas that were added only when they connect anew. Zero:
  // never. `observer` outlives it; null: nobody is told.
  StreamRegistry(std::chrono::milliseconds stall,
                 std::chrono::milliseconds max_age,
                 CallObserver* observer = nullptr);
  ~StreamRegistry();

  // `max_age` is of streams that come from now on, `stall` of all.
  void SetTimes(std::chrono::milliseconds stall,
                std::chrono::milliseconds max_age);

  // `end_stalled` is called before streams are looked at, each time, with the
  // moment since which something may have stood still. Before the first Add().
  void AlsoWatch(
      std::function<void(StreamSession::Clock::time_point)> end_stalled);

  // Numbers the session. One that comes after Drain() is drained at once.
  void Add(std::shared_ptr<StreamSession> session);
  void Remove(uint64_t id);

  // The server is about to leave, and still serves: what leaving() tells.
  void Leave();
  bool leaving() const;

  // From now on no stream begins, and each ends after the batch in hand, in
  // random order over `spread`: those that come back elsewhere do not do so in
  // one moment.
  void Drain(std::chrono::milliseconds spread);
  bool draining() const;

  // True: no stream was left before the deadline.
  bool WaitUntilEmpty(std::chrono::steady_clock::time_point deadline);

  std::vector<StreamReport> Reports() const;  // by id
  ServiceCounts* counts() { return &counts_; }
  const ServiceCounts& counts() const { return counts_; }
  // Of all streams, also those that are gone.
  std::map<std::string, StreamSeconds> SecondsByDataset() const;

 private:
  using Clock = StreamSession::Clock;

  std::vector<std::shared_ptr<StreamSession>> Sessions() const;
  // Whose time is up; each is told once. With mu_ held.
  std::vector<std::shared_ptr<StreamSession>> TakeDue(Clock::time_point now);
  std::chrono::milliseconds LookInterval() const;  // with mu_ held
  void Watch();

  CallObserver* const observer_;
  ServiceCounts counts_;
  mutable std::mutex mu_;
  std::condition_variable changed_;
  std::chrono::milliseconds stall_;                              // by mu_
  std::chrono::milliseconds max_age_;                            // by mu_
  std::map<uint64_t, std::shared_ptr<StreamSession>> sessions_;  // by mu_
  std::multimap<Clock::time_point, uint64_t> due_;               // by mu_
  std::mt19937_64 random_{std::random_device()()};               // by mu_
  uint64_t next_id_ = 1;                                         // by mu_
  bool leaving_ = false;                                         // by mu_
  bool draining_ = false;                                        // by mu_
  bool stopped_ = false;                                         // by mu_
  std::function<void(Clock::time_point)> end_stalled_;           // by mu_
  std::thread watcher_;
};

}  // namespace inkstream::transport

// Threads that do pieces of work, shared round robin between callers, and then
// between the sources of a caller.
//
// Every caller stands in the queue at most once, and so does every source in
// its caller's; a thread takes one piece of the front source of the front
// caller and sends both to the back. So a source with much to do uses every
// core while it is alone and gets its even share of pieces when it is not, and
// who has many sources gets no more than who has one.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace inkstream {

class TurnSource {
 public:
  // `caller`: on whose behalf; sources of the same one share its turns.
  explicit TurnSource(std::string caller = "") : caller_(std::move(caller)) {}
  virtual ~TurnSource() = default;

  // Does one piece of work; called as often as pieces were announced, from
  // several threads at once.
  virtual void TakeTurn() = 0;

 private:
  friend class TurnPool;
  const std::string caller_;
  size_t pieces_ = 0;  // guarded by the pool's mutex
};

class TurnPool {
 public:
  // `niceness` is added to that of the threads: 0..19.
  explicit TurnPool(int threads, int niceness = 0);
  ~TurnPool();

  // Announces `pieces` more pieces of `source`.
  void Add(std::shared_ptr<TurnSource> source, size_t pieces);

  // Runs `work` once. Dropped after Stop().
  void Post(std::function<void()> work);

  // Waits for the pieces being run and drops the others. Idempotent.
  void Stop();

  // Waits for the pieces being run and ends the threads; what is announced
  // waits for Resume(). Not from two threads at once.
  void Pause();
  // From now on with as many `threads`, which begin with the next piece. 0: as
  // many as before.
  void Resume(int threads = 0);

  int threads() const { return thread_count_; }

  // Whether a thread has nothing to do; it may have by the time of return.
  bool HasIdle();

 private:
  using Sources = std::deque<std::shared_ptr<TurnSource>>;

  // With mu_ held.
  void StartThreads();
  void Run();
  std::shared_ptr<TurnSource> NextTurn();  // with mu_ held, something queued

  std::atomic<int> thread_count_;
  const int niceness_;
  std::mutex mu_;
  std::condition_variable work_;
  std::deque<std::string> turns_;           // callers with work; by mu_
  std::map<std::string, Sources> sources_;  // of each of them; by mu_
  int idle_ = 0;                            // threads that wait; by mu_
  bool stopped_ = false;
  bool paused_ = false;               // by mu_
  std::vector<std::thread> threads_;  // by mu_
};

}  // namespace inkstream

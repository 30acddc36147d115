// Threads that do pieces of work, shared round robin between callers, and then
// between the sources of a caller.
//
// Every caller stands in the queue at most once, and so does every source in
// its caller's; a thread takes one piece of the front source of the front
// caller and sends both to the back. So a source with much to do uses every
// core while it is alone and gets its even share of pieces when it is not, and
// who has many sources gets no more than who has one.
//
// A pool that replaces sleepers keeps its cores busy while turns sleep in a
// disk: as long as others wait, more threads take their places
// (sleeping_turns.h).
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/base/sleeping_turns.h"

namespace inkstream {

class TurnSource {
 public:
  // `caller`: on whose behalf; sources of the same one share its turns.
  // `disk`: what its turns may sleep in; "": nothing, or not known yet.
  explicit TurnSource(std::string caller = "", std::string disk = "")
      : caller_(std::move(caller)), disk_(std::move(disk)) {}
  virtual ~TurnSource() = default;

  // Does one piece of work; called as often as pieces were announced, from
  // several threads at once.
  virtual void TakeTurn() = 0;

 protected:
  // Only while no piece is announced.
  void set_disk(std::string disk) { disk_ = std::move(disk); }

 private:
  friend class TurnPool;
  const std::string caller_;
  std::string disk_;
  size_t pieces_ = 0;  // guarded by the pool's mutex
};

class TurnPool {
 public:
  enum class Sleepers : bool { kKeepTheirPlaces, kAreReplaced };

  // `niceness` is added to that of the threads: 0..19.
  explicit TurnPool(int threads, int niceness = 0,
                    Sleepers sleepers = Sleepers::kKeepTheirPlaces);
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

  // The turn that this thread is at may sleep in `disk` from here on. False:
  // too many do already, and it must not; announced for that disk, it is run
  // again when there is room. True of whoever is at no turn of this pool.
  bool MaySleepIn(const std::string& disk);

  // For how many seconds a turn has done nothing but sleep in `disk`.
  double LongestSleep(const std::string& disk);

 private:
  using Clock = std::chrono::steady_clock;
  using Sources = std::deque<std::shared_ptr<TurnSource>>;

  // A thread, and the turn that it is at.
  struct Thread {
    const pid_t id;
    std::string disk = "";
    Clock::time_point begun = {};
    int64_t cpu_nanos = 0;  // at that moment
    uint64_t turn = 0;
    uint64_t looked_at = 0;  // the turn of the last look
    bool busy = false;
    bool asleep = false;
  };

  void Run();
  void WatchSleepers();
  // For this reason, a member that mu_ guards.
  void EndThreads(bool* reason);
  // All of these with mu_ held.
  void StartThreads();
  void StartThread();
  // The next piece; null where none may be begun.
  std::shared_ptr<TurnSource> NextTurn();
  bool HasRoomFor(const TurnSource& source) const;
  // Whether fewer threads are awake and at work than there may be.
  bool HasPlace() const { return busy_ - asleep_.all() < thread_count_; }
  // Whether what waits has a place, and nobody to take it.
  bool LacksThread() const;
  void Begin(Thread* thread, const std::string& disk);
  void End(Thread* thread);
  void ReadFrom(Thread* thread, const std::string& disk);
  void FallAsleep(Thread* thread);
  // What waits, or who sleeps, has changed.
  void TellWatcher();
  // Notes who sleeps; `lock` is given up meanwhile.
  void LookForSleepers(std::unique_lock<std::mutex>* lock);

  std::atomic<int> thread_count_;
  const int niceness_;
  const Sleepers sleepers_;
  std::mutex mu_;
  std::condition_variable work_;
  std::condition_variable watch_;
  std::deque<std::string> turns_;           // callers with work; by mu_
  std::map<std::string, Sources> sources_;  // of each of them; by mu_
  int idle_ = 0;                            // threads that wait; by mu_
  int busy_ = 0;                            // threads at a turn; by mu_
  SleepingTurns asleep_;                    // of these; by mu_
  std::set<Thread*> running_;               // by mu_
  bool watches_ = false;                    // for sleepers, already; by mu_
  bool stopped_ = false;
  bool paused_ = false;               // by mu_
  std::vector<std::thread> threads_;  // by mu_
  std::thread watcher_;               // by mu_
};

}  // namespace inkstream

#include "server/base/turn_pool.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"

namespace inkstream {
namespace {

// Who is at the same turn for as long, and not running, is taken to sleep.
// Pieces of work take half a millisecond.
constexpr std::chrono::milliseconds kLookEvery(5);

// Signals are for those threads of the process that wait for them; what a
// thread does wrong itself is still its own.
template <typename Start>
void WithoutSignals(const Start& start) {
  sigset_t blocked;
  sigset_t before;
  sigfillset(&blocked);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
    sigdelset(&blocked, own);
  }
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  const absl::Cleanup restore = [&before] {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  };
  start();
}

class PostedWork : public TurnSource {
 public:
  explicit PostedWork(std::function<void()> work) : work_(std::move(work)) {}
  void TakeTurn() override { work_(); }

 private:
  std::function<void()> work_;
};

}  // namespace

TurnPool::TurnPool(int threads, int niceness, Sleepers sleepers)
    : thread_count_(threads), niceness_(niceness), sleepers_(sleepers) {
  const std::lock_guard<std::mutex> lock(mu_);
  StartThreads();
}

void TurnPool::StartThreads() {
  WithoutSignals([this] {
    threads_.reserve(thread_count_);
    while (threads_.size() < static_cast<size_t>(thread_count_)) {
      StartThread();
    }
    if (sleepers_ == Sleepers::kAreReplaced && thread_count_ > 0 &&
        !watcher_.joinable()) {
      watcher_ = std::thread([this] { WatchSleepers(); });
    }
  });
}

void TurnPool::StartThread() {
  threads_.emplace_back([this] { Run(); });
  ++idle_;
}

void TurnPool::Pause() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    paused_ = true;
    threads.swap(threads_);
    if (watcher_.joinable()) threads.push_back(std::move(watcher_));
  }
  work_.notify_all();
  watch_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void TurnPool::Resume(int threads) {
  const std::lock_guard<std::mutex> lock(mu_);
  paused_ = false;
  if (threads > 0) thread_count_ = threads;
  if (!turns_.empty()) StartThreads();
}

TurnPool::~TurnPool() { Stop(); }

void TurnPool::Add(std::shared_ptr<TurnSource> source, size_t pieces) {
  if (pieces == 0) return;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (stopped_) return;
    if (threads_.empty() && !paused_) StartThreads();
    TurnSource* const announced = source.get();
    const bool queued = announced->pieces_ > 0;
    announced->pieces_ += pieces;
    if (!queued) {
      Sources& sources = sources_[announced->caller_];
      if (sources.empty()) turns_.push_back(announced->caller_);
      sources.push_back(std::move(source));
    }
    TellWatcher();
  }
  if (pieces == 1) {
    work_.notify_one();
  } else {
    work_.notify_all();
  }
}

void TurnPool::Post(std::function<void()> work) {
  Add(std::make_shared<PostedWork>(std::move(work)), 1);
}

bool TurnPool::HasIdle() {
  const std::lock_guard<std::mutex> lock(mu_);
  return idle_ > 0 && HasPlace();
}

void TurnPool::Stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    stopped_ = true;
    threads.swap(threads_);
    if (watcher_.joinable()) threads.push_back(std::move(watcher_));
  }
  work_.notify_all();
  watch_.notify_all();
  for (std::thread& thread : threads) thread.join();
  std::map<std::string, Sources> dropped;
  const std::lock_guard<std::mutex> lock(mu_);
  dropped.swap(sources_);
  turns_.clear();
}

void TurnPool::Run() {
  // Of this thread alone, on Linux. Where it is refused, the thread is as it
  // was, which is slower at most.
  if (niceness_ > 0) static_cast<void>(nice(niceness_));
  Thread self{gettid()};
  std::unique_lock<std::mutex> lock(mu_);
  running_.insert(&self);
  for (;;) {
    std::shared_ptr<TurnSource> source;
    work_.wait(lock, [&] {
      return stopped_ || paused_ || (source = NextTurn()) != nullptr;
    });
    --idle_;
    if (source == nullptr) break;
    Begin(&self, source->disk_);
    lock.unlock();
    source->TakeTurn();
    source.reset();
    lock.lock();
    End(&self);
    ++idle_;
  }
  running_.erase(&self);
}

std::shared_ptr<TurnSource> TurnPool::NextTurn() {
  if (!HasPlace()) return nullptr;
  for (auto turn = turns_.begin(); turn != turns_.end(); ++turn) {
    const auto own = sources_.find(*turn);
    Sources& sources = own->second;
    const auto next = std::find_if(
        sources.begin(), sources.end(),
        [this](const auto& source) { return HasRoomFor(*source); });
    if (next == sources.end()) continue;
    std::shared_ptr<TurnSource> source = std::move(*next);
    sources.erase(next);
    if (--source->pieces_ > 0) sources.push_back(source);
    std::string caller = std::move(*turn);
    turns_.erase(turn);
    if (sources.empty()) {
      sources_.erase(own);
    } else {
      turns_.push_back(std::move(caller));
    }
    return source;
  }
  return nullptr;
}

bool TurnPool::HasRoomFor(const TurnSource& source) const {
  return asleep_.HasRoom(source.disk_, thread_count_);
}

bool TurnPool::LacksThread() const {
  if (asleep_.all() == 0 || idle_ > 0 || !HasPlace()) return false;
  const auto most =
      static_cast<size_t>(thread_count_ + SleepingTurns::Most(thread_count_));
  if (threads_.size() >= most) return false;
  return std::any_of(
      sources_.begin(), sources_.end(), [this](const auto& of_caller) {
        return std::any_of(
            of_caller.second.begin(), of_caller.second.end(),
            [this](const auto& source) { return HasRoomFor(*source); });
      });
}

void TurnPool::Begin(Thread* thread, const std::string& disk) {
  ++busy_;
  thread->busy = true;
  ++thread->turn;
  thread->disk = disk;
  if (asleep_.IsSlow(disk)) FallAsleep(thread);
  TellWatcher();
}

void TurnPool::End(Thread* thread) {
  --busy_;
  thread->busy = false;
  if (!std::exchange(thread->asleep, false)) return;
  asleep_.Wake(thread->disk);
  // What waited for room is not always what this thread takes next.
  work_.notify_one();
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
  Thread* const thread = *found;
  if (std::exchange(thread->asleep, false)) asleep_.Wake(thread->disk);
  thread->disk = disk;
  if (asleep_.IsSlow(disk)) FallAsleep(thread);
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

}  // namespace inkstream

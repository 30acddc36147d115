#include "server/base/turn_pool.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"

namespace inkstream {
namespace {

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

void TurnPool::EndThreads(bool* reason) {
  std::vector<std::thread> threads;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    *reason = true;
    threads.swap(threads_);
    if (watcher_.joinable()) threads.push_back(std::move(watcher_));
  }
  work_.notify_all();
  watch_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void TurnPool::Pause() { EndThreads(&paused_); }

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
  EndThreads(&stopped_);
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
  return std::any_of(
      sources_.begin(), sources_.end(), [this](const auto& of_caller) {
        return std::any_of(
            of_caller.second.begin(), of_caller.second.end(),
            [this](const auto& source) { return HasRoomFor(*source); });
      });
}

}  // namespace inkstream

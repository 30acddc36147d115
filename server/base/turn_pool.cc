#include "server/base/turn_pool.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"

namespace inkstream {
namespace {

class PostedWork : public TurnSource {
 public:
  explicit PostedWork(std::function<void()> work) : work_(std::move(work)) {}
  void TakeTurn() override { work_(); }

 private:
  std::function<void()> work_;
};

}  // namespace

TurnPool::TurnPool(int threads, int niceness)
    : thread_count_(threads), niceness_(niceness) {
  const std::lock_guard<std::mutex> lock(mu_);
  StartThreads();
}

void TurnPool::StartThreads() {
  // Signals are for those threads of the process that wait for them; what a
  // thread does wrong itself is still its own.
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
  threads_.reserve(thread_count_);
  while (threads_.size() < static_cast<size_t>(thread_count_)) {
    threads_.emplace_back([this] { Run(); });
  }
}

void TurnPool::Pause() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    paused_ = true;
    threads.swap(threads_);
  }
  work_.notify_all();
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
  return idle_ > 0;
}

void TurnPool::Stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    stopped_ = true;
    threads.swap(threads_);
  }
  work_.notify_all();
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
  for (;;) {
    std::shared_ptr<TurnSource> source;
    {
      std::unique_lock<std::mutex> lock(mu_);
      ++idle_;
      work_.wait(lock,
                 [this] { return stopped_ || paused_ || !turns_.empty(); });
      --idle_;
      if (stopped_ || paused_) return;
      source = NextTurn();
    }
    source->TakeTurn();
  }
}

std::shared_ptr<TurnSource> TurnPool::NextTurn() {
  std::string caller = std::move(turns_.front());
  turns_.pop_front();
  const auto own = sources_.find(caller);
  std::shared_ptr<TurnSource> source = std::move(own->second.front());
  own->second.pop_front();
  if (--source->pieces_ > 0) own->second.push_back(source);
  if (own->second.empty()) {
    sources_.erase(own);
  } else {
    turns_.push_back(std::move(caller));
  }
  return source;
}

}  // namespace inkstream

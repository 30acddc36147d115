#include "client/engine/drawing_pool.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <system_error>

#include "server/base/machine_limits.h"

namespace inkstream::engine {
namespace {

// As the server's: drawing ahead makes way for the thread that trains.
constexpr int kNiceness = 5;

struct Gate {
  std::mutex mu;  // guards everything below
  std::condition_variable changed;
  int at_work = 0;
  int waiting = 0;
  bool forking = false;
  bool paused = false;  // by a fork
  int users = 0;        // of the pool
  std::shared_ptr<batch::WorkerPool> pool;
};

// Never freed: threads may be at it while the process ends.
Gate* gate = new Gate;

void BeforeFork() {
  std::unique_lock<std::mutex> lock(gate->mu);
  gate->changed.wait(lock, [] { return !gate->forking; });
  gate->forking = true;
  gate->changed.wait(lock, [] { return gate->at_work == 0; });
  if (gate->pool != nullptr) {
    gate->paused = true;
    gate->pool->Pause();
  }
}

// With gate->mu held. Throws where there is no thread to be had.
void GoOn() {
  if (!gate->paused) return;
  gate->pool->Resume();
  gate->paused = false;
}

void AfterForkInParent() {
  {
    const std::lock_guard<std::mutex> lock(gate->mu);
    gate->forking = false;
    try {
      if (gate->waiting > 0) GoOn();
    } catch (const std::system_error&) {
      // Tried again by the next call.
    }
  }
  gate->changed.notify_all();
}

// What the parent had stays where it is: its locks may be anybody's.
void AfterForkInChild() { gate = new Gate; }

const int registered =
    pthread_atfork(&BeforeFork, &AfterForkInParent, &AfterForkInChild);

// `threads`: those that are counted.
void Enter(int Gate::*threads) {
  std::unique_lock<std::mutex> lock(gate->mu);
  gate->changed.wait(lock, [] { return !gate->forking; });
  GoOn();
  ++(gate->*threads);
}

void Leave(int Gate::*threads) {
  {
    const std::lock_guard<std::mutex> lock(gate->mu);
    --(gate->*threads);
  }
  gate->changed.notify_all();
}

}  // namespace

AtWork::AtWork() { Enter(&Gate::at_work); }
AtWork::~AtWork() { Leave(&Gate::at_work); }

Waiting::Waiting() { Enter(&Gate::waiting); }
Waiting::~Waiting() { Leave(&Gate::waiting); }

int DrawingThreads(uint32_t threads, uint32_t shares) {
  if (threads > 0) return static_cast<int>(threads);
  return std::max(
      1, UsableCpus() / static_cast<int>(std::max<uint32_t>(1, shares)));
}

std::shared_ptr<batch::WorkerPool> JoinDrawingPool(int threads) {
  const std::lock_guard<std::mutex> lock(gate->mu);
  if (gate->pool == nullptr) {
    gate->pool = std::make_shared<batch::WorkerPool>(0, kNiceness);
  }
  if (gate->users == 0 || gate->pool->threads() != threads) {
    gate->pool->Pause();
    gate->pool->Resume(threads);
  }
  ++gate->users;
  return gate->pool;
}

void LeaveDrawingPool() {
  const std::lock_guard<std::mutex> lock(gate->mu);
  if (--gate->users == 0) gate->pool->Pause();
}

}  // namespace inkstream::engine

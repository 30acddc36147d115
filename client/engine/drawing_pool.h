// The threads of this process that draw, and how they and forks meet.
//
// A fork copies one thread. Whatever another one holds at that moment is held
// for ever in the child: so a fork waits until nobody is at work in the library
// and the threads that draw have ended, and the child begins with a pool of its
// own. In the parent they start again with the next call, or at once where a
// thread waits for what they draw.
//
// Thread safety: every function may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>

#include "server/batch/work/worker_pool.h"

namespace inkstream::engine {

// Of a thread while it is at work in the library: it holds back forks, and is
// held back by one. Not twice in one thread; not while it waits for batches.
class AtWork {
 public:
  AtWork();
  ~AtWork();
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;
};

// Of a thread while it waits for batches, which are drawn behind a fork too.
// Not while it is AtWork.
class Waiting {
 public:
  Waiting();
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
};

// Threads that draw where `threads` are asked for, 0: not said, by one of
// `shares` processes that share the machine.
int DrawingThreads(uint32_t threads, uint32_t shares);

// The pool of this process, with `threads` threads from now on; they begin with
// the first work. One more user of it. REQUIRES: AtWork.
std::shared_ptr<batch::WorkerPool> JoinDrawingPool(int threads);

// One user less; without any the threads end. REQUIRES: AtWork.
void LeaveDrawingPool();

}  // namespace inkstream::engine

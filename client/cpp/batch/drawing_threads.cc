#include "client/cpp/batch/drawing_threads.h"

#include <mutex>

#include "server/base/machine_limits.h"

namespace inkstream::client {
namespace {

// As the server's.
constexpr int kNiceness = 5;

}  // namespace

std::shared_ptr<TurnPool> DrawingThreads(uint32_t threads) {
  static std::mutex mu;  // guards everything below
  static auto* const kept = new std::weak_ptr<TurnPool>;
  const int wanted = threads > 0 ? static_cast<int>(threads) : UsableCpus();
  const std::lock_guard<std::mutex> lock(mu);
  std::shared_ptr<TurnPool> pool = kept->lock();
  if (pool == nullptr) {
    pool = std::make_shared<TurnPool>(0, kNiceness);
    *kept = pool;
  }
  if (pool->threads() < wanted) {
    pool->Pause();
    pool->Resume(wanted);
  }
  return pool;
}

}  // namespace inkstream::client

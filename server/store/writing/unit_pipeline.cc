#include "server/store/writing/unit_pipeline.h"

#include <utility>

namespace inkstream::store {

UnitPipeline::UnitPipeline(int threads, Commit commit)
    : commit_(std::move(commit)),
      capacity_(2 * static_cast<uint64_t>(threads) + 2) {
  for (int t = 0; t < threads; ++t) {
    threads_.emplace_back([this] { RunEncoder(); });
  }
  threads_.emplace_back([this] { RunCommitter(); });
}

UnitPipeline::~UnitPipeline() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

absl::Status UnitPipeline::Push(Unit unit) {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] {
      return !status_.ok() || pushed_ - committed_ < capacity_;
    });
    if (!status_.ok()) return status_;
    waiting_.push_back({pushed_++, std::move(unit)});
  }
  changed_.notify_all();
  return absl::OkStatus();
}

absl::Status UnitPipeline::Drain() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return !status_.ok() || committed_ == pushed_; });
  return status_;
}

void UnitPipeline::RunEncoder() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    Numbered next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    EncodedUnit encoded = EncodeUnit(*next.unit.model, next.unit.parts);
    lock.lock();
    encoded_.emplace(next.number,
                     Done{std::move(next.unit), std::move(encoded)});
    changed_.notify_all();
  }
}

void UnitPipeline::RunCommitter() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] {
      return stopping_ || (status_.ok() && !encoded_.empty() &&
                           encoded_.begin()->first == committed_);
    });
    if (stopping_) return;
    auto next = encoded_.extract(encoded_.begin());
    lock.unlock();
    absl::Status status = commit_(next.mapped().unit, &next.mapped().encoded);
    // Freed outside of the lock.
    next = {};
    lock.lock();
    status_.Update(std::move(status));
    ++committed_;
    changed_.notify_all();
  }
}

}  // namespace inkstream::store

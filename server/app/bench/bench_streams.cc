#include "server/app/bench/bench_streams.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/time/time.h"
#include "server/app/interrupt.h"

namespace inkstream::app {
namespace {

// How often an interrupt is looked for.
constexpr std::chrono::milliseconds kTick{20};

}  // namespace

BenchStreams::BenchStreams(uint32_t count, Opener open)
    : open_(std::move(open)), runs_(count) {
  for (uint32_t number = 0; number < count; ++number) {
    threads_.emplace_back([this, number] { Receive(number); });
  }
}

BenchStreams::~BenchStreams() { End(); }

absl::Status BenchStreams::AwaitFirstBatches() {
  std::unique_lock<std::mutex> lock(mu_);
  for (;;) {
    if (!Failure().ok()) return Failure();
    if (std::all_of(runs_.begin(), runs_.end(),
                    [](const Run& run) { return run.has_batch; })) {
      return absl::OkStatus();
    }
    if (Interrupt::requested()) {
      return absl::CancelledError("interrupted before every stream was open");
    }
    changed_.wait_for(lock, kTick);
  }
}

absl::Status BenchStreams::Measure(double seconds) {
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  {
    std::unique_lock<std::mutex> lock(mu_);
    phase_ = Phase::kMeasuring;
    changed_.notify_all();
    while (std::chrono::steady_clock::now() < until && Failure().ok() &&
           !Interrupt::requested() &&
           !std::all_of(runs_.begin(), runs_.end(),
                        [](const Run& run) { return run.ended; })) {
      changed_.wait_for(lock, kTick);
    }
  }
  for (Run& run : runs_) run.stats = run.stream->stats();
  End();
  const std::lock_guard<std::mutex> lock(mu_);
  return Failure();
}

BenchFigures BenchStreams::figures() const {
  BenchFigures all;
  for (const Run& run : runs_) all.Merge(run.figures);
  return all;
}

void BenchStreams::Receive(uint32_t number) {
  Run& run = runs_[number];
  absl::Status status = Open(number);
  {
    std::unique_lock<std::mutex> lock(mu_);
    run.status = status;
    run.has_batch = status.ok();
    run.ended = !status.ok();
    changed_.notify_all();
    changed_.wait(lock, [this] { return phase_ != Phase::kOpening; });
    if (!status.ok() || phase_ == Phase::kOver) return;
  }
  for (;;) {
    const auto asked = std::chrono::steady_clock::now();
    const auto batch = run.stream->Next();
    const std::lock_guard<std::mutex> lock(mu_);
    // What comes while it is cancelled is not counted.
    if (phase_ == Phase::kOver) return;
    if (!batch.ok() || !batch->has_value()) {
      run.status = batch.status();
      run.ended = true;
      changed_.notify_all();
      return;
    }
    run.figures.waits.Add(
        absl::FromChrono(std::chrono::steady_clock::now() - asked));
    ++run.figures.batches;
    run.figures.drawings += (*batch)->rows();
    run.figures.bytes += (*batch)->byte_size();
  }
}

absl::Status BenchStreams::Open(uint32_t number) {
  absl::StatusOr<std::unique_ptr<Stream>> opened = open_(number);
  if (!opened.ok()) return opened.status();
  Stream* const stream = opened->get();
  {
    const std::lock_guard<std::mutex> lock(mu_);
    runs_[number].stream = *std::move(opened);
    if (phase_ == Phase::kOver) stream->Cancel();
  }
  return stream->Next().status();
}

void BenchStreams::End() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    phase_ = Phase::kOver;
    for (const Run& run : runs_) {
      if (run.stream != nullptr) run.stream->Cancel();
    }
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

absl::Status BenchStreams::Failure() const {
  for (const Run& run : runs_) {
    if (!run.status.ok()) return run.status;
  }
  return absl::OkStatus();
}

}  // namespace inkstream::app

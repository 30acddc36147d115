// The streams that `inkstream bench` measures, each with a thread of its own.
//
// Thread safety: one thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "inkstream/client.h"
#include "server/app/bench/bench_figures.h"

namespace inkstream::app {

class BenchStreams {
 public:
  // Connects and asks for a stream; called once for each number.
  using Opener =
      std::function<absl::StatusOr<std::unique_ptr<Stream>>(uint32_t number)>;

  // Opens `count` streams at once.
  BenchStreams(uint32_t count, Opener open);
  // Waits for streams that are being opened.
  ~BenchStreams();

  // Waits until every stream has its first batch. The error of one that has
  // none; CANCELLED: the process was interrupted before.
  absl::Status AwaitFirstBatches();

  // Counts what comes within `seconds`, or until the process is interrupted.
  // The error of a stream that broke off.
  absl::Status Measure(double seconds);

  // What came to all of them; after Measure().
  BenchFigures figures() const;
  const Stream& stream(uint32_t number) const { return *runs_[number].stream; }
  // At the end of Measure(): a stream that has ended asks its server no more.
  const StreamStats& stats(uint32_t number) const {
    return runs_[number].stats;
  }
  uint64_t bytes(uint32_t number) const { return runs_[number].figures.bytes; }

 private:
  // One stream; guarded by mu_ but for what its thread alone uses.
  struct Run {
    std::unique_ptr<Stream> stream;  // set once
    BenchFigures figures;
    StreamStats stats;
    absl::Status status;
    bool has_batch = false;
    bool ended = false;
  };
  enum class Phase : uint8_t { kOpening, kMeasuring, kOver };

  void Receive(uint32_t number);
  absl::Status Open(uint32_t number);
  void End();
  // The first error; with mu_ held.
  absl::Status Failure() const;

  const Opener open_;
  mutable std::mutex mu_;
  std::condition_variable changed_;
  Phase phase_ = Phase::kOpening;  // guarded by mu_
  std::vector<Run> runs_;
  std::vector<std::thread> threads_;
};

}  // namespace inkstream::app

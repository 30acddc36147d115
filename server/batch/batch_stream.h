// One open stream of batches: what a transport pulls from.
//
// Protocol: the transport grants credits; workers lay out at most that many
// batches ahead, in any order; TryTake() hands them out in order. Whenever
// TryTake() answered kNotReady, the listener is called once as soon as calling
// again is worth it. Nothing here blocks.
//
// Thread safety: every method may be called from any thread; TryTake() from
// one at a time. The listener is called from worker threads and must not call
// back into the stream other than TryTake(), Grant() and Cancel().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "inkstream/cursor.h"
#include "server/batch/job/finished_batch.h"

namespace inkstream::batch {

// What the transport tells the client first.
struct StreamFacts {
  std::string dataset;
  Cursor start;  // order_plan is set
  uint64_t view_size = 0;
  uint64_t steps_per_epoch = 0;           // of this rank, from position 0
  std::vector<std::string> vocabulary;    // of the label ids
  std::vector<std::string> countrycodes;  // where that column is asked for
  uint32_t credit_window = 0;             // batches that may be ahead
  uint64_t batch_bytes = 0;               // of one of tensors, at most
  bool rows = false;                      // they travel as rows
  double strokes_divisor = 0;  // of StrokeScale::kDataset; 0: not used
};

// Why a stream ended well.
// kRebalance: to be opened again at the cursor, perhaps on another server.
enum class EndReason : uint8_t { kEpochsDone, kMaxBatches, kRebalance };

struct NotReady {};
struct Ended {
  EndReason reason;
  order::EpochPosition place;
};
// A batch, nothing yet, the end, or the error that ended the stream.
using TakeResult = std::variant<FinishedBatch, NotReady, Ended, absl::Status>;

// Seconds of a stream's life, by what it waited for. One thing at a time, so
// they add up to the time since it was opened. Those of StageTimes: workers
// were at the batch that was due.
struct WaitTimes : StageTimes {
  double client = 0;  // no credits
  // Credits, but no batch ready, because there is nothing to lay it out in, ...
  double memory = 0;
  double queue = 0;  // ... or workers are at other batches.

  double workers() const { return memory + queue + decode + draw + pack; }
  double sum() const { return client + workers() + disk; }
  WaitTimes& operator+=(const WaitTimes& other);
  WaitTimes operator-(const WaitTimes& earlier) const;
};

class BatchStream {
 public:
  virtual ~BatchStream() = default;

  virtual const StreamFacts& facts() const = 0;
  virtual void SetListener(std::function<void()> listener) = 0;

  // RESOURCE_EXHAUSTED: more than the limit would be ahead.
  virtual absl::Status Grant(uint32_t credits) = 0;
  virtual TakeResult TryTake() = 0;
  // Once every batch has been taken, as TryTake() says it then.
  virtual std::optional<Ended> end() const = 0;

  // Stops all work; later TryTake() answers CANCELLED. Idempotent. A call of
  // the listener that has begun may still be running when it returns; no other
  // one begins.
  virtual void Cancel() = 0;

  virtual WaitTimes wait_times() const = 0;
  virtual order::EpochPosition place() const = 0;  // after the last batch taken
  virtual uint32_t credits() const = 0;
};

}  // namespace inkstream::batch

// A stream of batches, as Client::Stream() opens it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "inkstream/batch.h"
#include "inkstream/cursor.h"
#include "inkstream/plan.h"

namespace inkstream {

// What a server says first on a stream.
struct StreamInfo {
  std::string dataset;
  Cursor start;                  // order_plan is set
  uint64_t view_size = 0;        // drawings
  uint64_t steps_per_epoch = 0;  // of this rank, from position 0
  uint32_t raster_version = 0;
  std::vector<std::string> vocabulary;  // of the label ids
  Codec codec = Codec::kNone;           // in use
  std::string codec_reason;             // why it is not the one asked for
};

// What a stream has done, and who waits for whom. All times in seconds.
struct StreamStats {
  uint64_t batches = 0;     // that Next() gave
  uint64_t bytes = 0;       // of them
  uint64_t wire_bytes = 0;  // that they came to in messages
  uint64_t reopened = 0;    // times it went on elsewhere or anew
  std::string target;       // of the server in use
  double seconds = 0;       // since it was made
  double waited = 0;        // Next() waited for a batch
  // What the server says of the present opening; 0 where it does not answer.
  double waited_client = 0;   // no credits
  double waited_workers = 0;  // a credit waited for a batch to be drawn
  double waited_store = 0;    // reading records
  double waited_network = 0;  // a write in flight
  double server_cpu = 0;      // of its whole process, since it started
  uint64_t server_bytes = 0;  // sent to all its clients, since it started
  std::string bottleneck;     // one sentence
};

// Thread safety: Next() from one thread at a time; Cancel() and stats() from
// any.
class Stream {
 public:
  // Cancels, waits for the reading thread.
  virtual ~Stream() = default;

  virtual const StreamInfo& info() const = 0;

  // Blocks. nullopt: the stream has ended, and stays so. An error stays too.
  virtual absl::StatusOr<std::optional<Batch>> Next() = 0;

  // The cursor after the last batch that Next() returned; at the end, the
  // place at which the stream ended.
  virtual Cursor cursor() const = 0;

  // Next() answers CANCELLED from now on. Idempotent.
  virtual void Cancel() = 0;

  // Asks the server, which may take up to a second.
  virtual StreamStats stats() const = 0;
};

}  // namespace inkstream

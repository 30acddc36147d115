// One client's stream: pulls batches, pushes them into a sink, keeps to the
// client's credits, ends in every case exactly once.
//
//   opening --Open--> streaming --(end, error, drain, rebalance, peer gone)-->
//   finished
//
// Nothing is written while a write is in flight; a batch in hand is finished
// before a drain or an error takes effect.
//
// Thread safety: every method may be called from any thread. The sink is not
// used after Detach().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "inkstream/plan.h"
#include "server/batch/batch_stream.h"
#include "server/transport/batch_sink.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/status/service_counts.h"

namespace inkstream::transport {

class CallObserver;

// What GetStatus says of a stream.
struct StreamReport {
  uint64_t id = 0;
  std::string peer;    // its connection
  std::string caller;  // who is at the other end, as far as that is proven
  std::string dataset;
  std::string fingerprint;  // of the generation it streams
  std::string plan_hash;
  uint32_t rank = 0;
  uint32_t world = 1;
  uint64_t step_offset = 0;
  uint64_t step_stride = 1;
  order::EpochPosition place;
  uint64_t batches = 0;  // sent
  uint64_t drawings = 0;
  uint64_t bytes = 0;          // of batches, unpacked
  uint64_t wire_bytes = 0;     // in messages
  Codec codec = Codec::kNone;  // in use
  double seconds = 0;          // since the call began, until it ended
  // What those went to, one thing at a time: together they are all of it.
  double opening = 0;         // until the plan was accepted
  double waited_network = 0;  // a write in flight
  batch::WaitTimes waited;    // neither of these
  uint32_t credits = 0;
  uint64_t unread_bytes = 0;  // written, and not taken by the client
  std::string plan;           // in short, for people
  std::string traceparent;    // as the client sent it; "": it did not
  // Once it has ended:
  std::optional<absl::Status> end;
  std::string end_reason;  // in capitals, one of a closed set
};

class StreamSession : public std::enable_shared_from_this<StreamSession> {
 public:
  using Clock = std::chrono::steady_clock;

  // `sink` stays valid until Detach().
  StreamSession(BatchSink* sink, const Peer& peer,
                std::string traceparent = "");
  ~StreamSession();

  // The plan was accepted. Starts writing. `delivery`: with the codec in use.
  void Open(std::shared_ptr<batch::BatchStream> stream,
            const DeliverySpec& delivery);
  // The request was wrong, or cannot be met.
  void Fail(absl::Status status);

  // Credits may come before Open.
  void Grant(uint32_t credits);
  // The client grants no more: from now on every write renews its own credit.
  void HalfClosed();
  void OnWritten();
  // Some of a long write has been taken: it is not stalled.
  void OnProgress();
  // The client has gone or cancelled. A write in flight still gets its
  // OnWritten(), and is `lost` where the client did not get it.
  void OnPeerGone(bool lost = false);
  // Ends the stream after the batch in hand.
  void Drain();
  // Likewise, and well: the client opens another one at its cursor.
  void Rebalance();
  void Detach();

  // Ends the stream if it is open and has been stuck since before `since`.
  void EndIfStalled(Clock::time_point since);

  bool finished() const;
  void set_id(uint64_t id) { id_ = id; }
  // Who is told of writes and of the opening; both outlive the session, and
  // `observer` may be null. Called before Open().
  void TellOf(ServiceCounts* counts, CallObserver* observer);
  uint64_t id() const { return id_; }
  StreamReport Report() const;

 private:
  // All with mu_ held.
  void GrantLocked(uint32_t credits);
  void Pump();
  void WriteReadyBatches();
  void Wrote(const absl::StatusOr<bool>& accepted);
  void Finish(const absl::Status& status);
  void Finish(const batch::Ended& end);
  void StopStream();
  // Once all batches are written, or being written.
  std::optional<batch::Ended> End() const;
  void EndWrite();
  batch::WaitTimes Waited() const;
  StreamReport ReportLocked() const;
  void NoteEnd(const absl::Status& status, std::string reason);
  void EndSlowReader();

  const Clock::time_point started_ = Clock::now();
  const bool is_unix_;  // the peer's connection
  uint64_t id_ = 0;

  mutable std::mutex mu_;  // guards everything below
  ServiceCounts* counts_ = nullptr;
  CallObserver* observer_ = nullptr;
  BatchSink* sink_;
  std::shared_ptr<batch::BatchStream> stream_;
  StreamReport report_;
  bool finished_ = false;
  bool opened_ = false;
  bool writing_ = false;
  bool half_closed_ = false;
  uint32_t early_credits_ = 0;
  SentTotals in_flight_;
  SentKey key_in_flight_;
  // The stream's own waits when the last write ended: it waits during writes as
  // well, which is the network's time.
  batch::WaitTimes mark_;
  std::optional<absl::Status> ending_;  // once nothing is in flight
  bool rebalancing_ = false;            // likewise
  bool peer_gone_ = false;
  // All batches were written when the peer went: that is how the stream ended.
  std::optional<batch::Ended> all_written_;
  Clock::time_point progress_ = started_;  // the last time something moved
  Clock::time_point write_started_;
};

}  // namespace inkstream::transport

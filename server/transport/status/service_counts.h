// What a server has done since it was started, in figures that only grow. Their
// keys are closed sets: datasets that it was given, and words of its own; what
// a peer sends is none.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "inkstream/plan.h"
#include "server/batch/batch_stream.h"
#include "server/batch/job/stage_times.h"

namespace inkstream::transport {

struct SentKey {
  std::string dataset;
  bool is_unix = false;  // over the Unix socket
  Codec codec = Codec::kNone;

  bool operator<(const SentKey& other) const {
    return std::tie(dataset, is_unix, codec) <
           std::tie(other.dataset, other.is_unix, other.codec);
  }
};

struct SentTotals {
  uint64_t batches = 0;
  uint64_t drawings = 0;
  uint64_t bytes = 0;       // of batches, unpacked
  uint64_t wire_bytes = 0;  // in messages

  SentTotals& operator+=(const SentTotals& other);
};

// Where the lives of streams went, in seconds; their sum is that of the lives.
struct StreamSeconds {
  double opening = 0;
  double network = 0;
  batch::WaitTimes waited;

  StreamSeconds& operator+=(const StreamSeconds& other);
};

class SecondsHistogram {
 public:
  static constexpr std::array<double, 8> kBounds = {0.0003, 0.001, 0.003, 0.01,
                                                    0.03,   0.1,   0.3,   1.0};

  void Add(double seconds);

  // How many were at most kBounds[i], and more than the bound before it; last:
  // more than all.
  std::array<uint64_t, kBounds.size() + 1> counts = {};
  double sum = 0;
};

class ServiceCounts {
 public:
  struct Values {
    std::map<SentKey, SentTotals> sent;
    std::map<std::string, SecondsHistogram> stages;
    std::map<std::string, StreamSeconds> gone_streams;  // by dataset
    std::map<std::pair<std::string, std::string>, uint64_t>
        ends;  // code, reason
    std::map<std::pair<std::string, std::string>, uint64_t>
        calls;                                 // method, code
    std::map<std::string, uint64_t> rejected;  // by reason
  };

  void BatchMade(double queued_seconds, const batch::StageTimes& stages);
  void Sent(const SentKey& key, const SentTotals& sent, double write_seconds);
  // `dataset` "": it never opened.
  void StreamEnded(const std::string& dataset, const StreamSeconds& seconds,
                   const absl::Status& status, const std::string& reason);
  // Any other call. `method`: one of this server's.
  void Answered(const std::string& method, absl::StatusCode code,
                const std::string& reason);

  SentTotals sent() const;
  Values values() const;

 private:
  void CountRejection(absl::StatusCode code, const std::string& reason);

  mutable std::mutex mu_;
  Values values_;  // by mu_
};

}  // namespace inkstream::transport

#include "server/transport/status/service_counts.h"

#include <algorithm>

namespace inkstream::transport {

SentTotals& SentTotals::operator+=(const SentTotals& other) {
  batches += other.batches;
  drawings += other.drawings;
  bytes += other.bytes;
  wire_bytes += other.wire_bytes;
  return *this;
}

StreamSeconds& StreamSeconds::operator+=(const StreamSeconds& other) {
  opening += other.opening;
  network += other.network;
  waited += other.waited;
  return *this;
}

void SecondsHistogram::Add(double seconds) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts[bound - kBounds.begin()];
  sum += seconds;
}

void ServiceCounts::BatchMade(double queued_seconds,
                              const batch::StageTimes& stages) {
  const std::lock_guard<std::mutex> lock(mu_);
  values_.stages["queue"].Add(queued_seconds);
  values_.stages["disk"].Add(stages.disk);
  values_.stages["decode"].Add(stages.decode);
  values_.stages["draw"].Add(stages.draw);
  values_.stages["pack"].Add(stages.pack);
}

void ServiceCounts::Sent(const SentKey& key, const SentTotals& sent,
                         double write_seconds) {
  const std::lock_guard<std::mutex> lock(mu_);
  values_.sent[key] += sent;
  values_.stages["write"].Add(write_seconds);
}

void ServiceCounts::StreamEnded(const std::string& dataset,
                                const StreamSeconds& seconds,
                                const absl::Status& status,
                                const std::string& reason) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (!dataset.empty()) values_.gone_streams[dataset] += seconds;
  ++values_.ends[{absl::StatusCodeToString(status.code()), reason}];
  CountRejection(status.code(), reason);
}

void ServiceCounts::Answered(const std::string& method, absl::StatusCode code,
                             const std::string& reason) {
  const std::lock_guard<std::mutex> lock(mu_);
  ++values_.calls[{method, absl::StatusCodeToString(code)}];
  CountRejection(code, reason);
}

void ServiceCounts::CountRejection(absl::StatusCode code,
                                   const std::string& reason) {
  if (code != absl::StatusCode::kResourceExhausted &&
      code != absl::StatusCode::kUnavailable) {
    return;
  }
  ++values_.rejected[reason.empty() ? "OTHER" : reason];
}

SentTotals ServiceCounts::sent() const {
  const std::lock_guard<std::mutex> lock(mu_);
  SentTotals sum;
  for (const auto& [key, sent] : values_.sent) sum += sent;
  return sum;
}

ServiceCounts::Values ServiceCounts::values() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return values_;
}

}  // namespace inkstream::transport

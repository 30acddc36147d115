#include "server/app/log/service_log.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "server/app/log/log_event.h"
#include "server/base/status_reason.h"

namespace inkstream::app {
namespace {

void LogLimited(LogEvent* event, uint64_t left_out, bool warning) {
  if (left_out > 0) event->Add("lines_left_out", left_out);
  event->Log(warning);
}

}  // namespace

void ServiceLog::OnStreamOpened(const transport::StreamReport& stream) {
  const std::optional<uint64_t> left_out = streams_.Take();
  if (!left_out.has_value()) return;
  LogEvent event("stream opened");
  event.Add("stream", stream.id)
      .Add("peer", stream.peer)
      .Add("caller", stream.caller)
      .Add("dataset", stream.dataset)
      .Add("plan", stream.plan)
      .Add("seconds", stream.opening);
  if (!stream.traceparent.empty()) event.Add("traceparent", stream.traceparent);
  LogLimited(&event, *left_out, /*warning=*/false);
}

void ServiceLog::OnStreamEnded(const transport::StreamReport& stream) {
  const std::optional<uint64_t> left_out = streams_.Take();
  if (!left_out.has_value()) return;
  // Overloads and slow readers among them; who drains sends them all away.
  const bool failed = !stream.end->ok() && !absl::IsCancelled(*stream.end) &&
                      stream.end_reason != kReasonDrain;
  const double life = std::max(stream.seconds, 1e-9);
  LogEvent event("stream ended");
  event.Add("stream", stream.id)
      .Add("peer", stream.peer)
      .Add("caller", stream.caller)
      .Add("dataset", stream.dataset)
      .Add("plan", stream.plan)
      .Add("reason", stream.end_reason)
      .Add("code", absl::StatusCodeToString(stream.end->code()))
      .Add("batches", stream.batches)
      .Add("drawings", stream.drawings)
      .Add("bytes", stream.bytes)
      .Add("wire_bytes", stream.wire_bytes)
      .Add("epoch", stream.place.epoch)
      .Add("position", stream.place.position)
      .Add("seconds", stream.seconds)
      .Add("client_share", stream.waited.client / life)
      .Add("network_share", stream.waited_network / life)
      .Add("server_share", stream.waited.workers() / life)
      .Add("disk_share", stream.waited.disk / life);
  if (failed) event.Add("text", stream.end->message());
  LogLimited(&event, *left_out, failed);
}

void ServiceLog::OnRefused(const std::string& method,
                           const transport::Peer& peer,
                           const absl::Status& status) {
  const std::optional<uint64_t> left_out = refusals_.Take();
  if (!left_out.has_value()) return;
  LogEvent event("call refused");
  event.Add("method", method)
      .Add("peer", peer.name)
      .Add("caller", peer.caller)
      .Add("code", absl::StatusCodeToString(status.code()))
      .Add("text", status.message());
  LogLimited(&event, *left_out, /*warning=*/true);
}

}  // namespace inkstream::app

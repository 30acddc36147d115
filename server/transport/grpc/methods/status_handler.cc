#include "server/transport/grpc/methods/status_handler.h"

#include "server/base/status_reason.h"
#include "server/service/service.h"
#include "server/transport/status/server_snapshot.h"

namespace inkstream::transport {
namespace {

void AddStream(const StreamSnapshot& snapshot,
               v1::GetStatusResponse* response) {
  const StreamReport& report = snapshot.report;
  v1::StreamStatus* const stream = response->add_streams();
  stream->set_id(report.id);
  stream->set_peer(report.peer);
  stream->set_dataset(report.dataset);
  stream->set_rank(report.rank);
  stream->set_world(report.world);
  stream->set_epoch(report.place.epoch);
  stream->set_position(report.place.position);
  stream->set_batches(report.batches);
  stream->set_drawings(report.drawings);
  stream->set_bytes(report.bytes);
  stream->set_seconds(report.seconds);
  stream->set_wait_client(report.waited.client);
  stream->set_wait_workers(report.waited.workers());
  stream->set_wait_network(report.waited_network);
  stream->set_wait_store(report.waited.disk);
  stream->set_wait_opening(report.opening);
  stream->set_wait_memory(report.waited.memory);
  stream->set_wait_queue(report.waited.queue);
  stream->set_wait_decode(report.waited.decode);
  stream->set_wait_draw(report.waited.draw);
  stream->set_wait_pack(report.waited.pack);
  stream->set_plan(report.plan);
  stream->set_traceparent(report.traceparent);
  stream->set_caller(report.caller);
  stream->set_credits(report.credits);
  stream->set_bottleneck(snapshot.bottleneck);
  stream->set_fingerprint(report.fingerprint);
  stream->set_plan_hash(report.plan_hash);
  stream->set_step_offset(report.step_offset);
  stream->set_step_stride(report.step_stride);
  stream->set_warning(snapshot.warning);
  stream->set_wire_bytes(report.wire_bytes);
  stream->set_codec(static_cast<v1::Codec>(report.codec));
  stream->set_unread_bytes(report.unread_bytes);
}

}  // namespace

absl::Status GetStatus(const ServerContext& server, const Access& access,
                       const v1::GetStatusRequest& request,
                       v1::GetStatusResponse* response) {
  if (!request.dataset().empty()) {
    std::string dataset = request.dataset();
    absl::Status known = access.Choose({}, &dataset);
    if (!known.ok()) return known;
    known = server.engine->Describe(request.dataset(), View()).status();
    if (!known.ok() && ReasonOf(known) != kReasonStoreLost) {
      return known;
    }
  }
  const ServerSnapshot snapshot = TakeSnapshot(
      *server.engine, {server.memory->budget(), server.memory->in_use()},
      *server.streams, server.started);
  response->set_server_version(server.service.version);
  response->set_uptime_seconds(snapshot.uptime_seconds);
  response->set_workers(snapshot.workers);
  response->set_memory_budget_bytes(snapshot.memory.budget);
  response->set_memory_used_bytes(snapshot.memory.used);
  response->set_batches_sent(snapshot.sent.batches);
  response->set_drawings_sent(snapshot.sent.drawings);
  response->set_bytes_sent(snapshot.sent.bytes);
  response->set_wire_bytes_sent(snapshot.sent.wire_bytes);
  response->set_draining(snapshot.draining);
  response->set_cpu_seconds(snapshot.cpu_seconds);
  for (const batch::ServedStore& served : server.engine->stores()) {
    if (served.problem.empty() || !access.MayRead(served.dataset)) continue;
    *response->add_unavailable() = service::SummaryOf(served);
  }
  for (const StreamSnapshot& stream : snapshot.streams) {
    const StreamReport& report = stream.report;
    if (!request.dataset().empty() && request.dataset() != report.dataset) {
      continue;
    }
    // One that has not been opened names none yet.
    if (!access.MayRead(report.dataset)) continue;
    if (request.stream_id() != 0 && request.stream_id() != report.id) continue;
    AddStream(stream, response);
  }
  return absl::OkStatus();
}

}  // namespace inkstream::transport

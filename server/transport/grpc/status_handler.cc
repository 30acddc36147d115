#include "server/transport/grpc/status_handler.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "server/transport/bottleneck.h"
#include "server/transport/twin_streams.h"

namespace inkstream::transport {
namespace {

void AddStream(const StreamReport& report, std::string warning,
               v1::GetStatusResponse* response) {
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
  stream->set_wait_workers(report.waited.workers);
  stream->set_wait_network(report.waited_network);
  stream->set_wait_store(report.waited.store);
  stream->set_credits(report.credits);
  stream->set_bottleneck(BottleneckOf(report));
  stream->set_fingerprint(report.fingerprint);
  stream->set_plan_hash(report.plan_hash);
  stream->set_step_offset(report.step_offset);
  stream->set_step_stride(report.step_stride);
  stream->set_warning(std::move(warning));
}

}  // namespace

absl::Status GetStatus(const ServerContext& server,
                       const v1::GetStatusRequest& request,
                       v1::GetStatusResponse* response) {
  if (!request.dataset().empty()) {
    absl::Status known =
        server.engine->Describe(request.dataset(), View()).status();
    if (!known.ok()) return known;
  }
  response->set_server_version(server.version);
  response->set_uptime_seconds(
      std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                    server.started)
          .count());
  response->set_workers(static_cast<uint32_t>(server.engine->workers()));
  response->set_memory_budget_bytes(server.pool->budget());
  response->set_memory_used_bytes(server.pool->in_use());
  const SentTotals totals = server.streams->totals();
  response->set_batches_sent(totals.batches);
  response->set_drawings_sent(totals.drawings);
  response->set_bytes_sent(totals.bytes);
  response->set_draining(server.streams->draining());
  const std::vector<StreamReport> reports = server.streams->Reports();
  std::vector<std::string> warnings = TwinWarnings(reports);
  for (size_t i = 0; i < reports.size(); ++i) {
    const StreamReport& report = reports[i];
    if (!request.dataset().empty() && request.dataset() != report.dataset) {
      continue;
    }
    if (request.stream_id() != 0 && request.stream_id() != report.id) continue;
    AddStream(report, std::move(warnings[i]), response);
  }
  return absl::OkStatus();
}

}  // namespace inkstream::transport

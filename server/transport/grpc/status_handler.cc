#include "server/transport/grpc/status_handler.h"

#include <chrono>

#include "server/transport/bottleneck.h"

namespace inkstream::transport {
namespace {

void AddStream(const StreamReport& report, v1::GetStatusResponse* response) {
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
  for (const StreamReport& report : server.streams->Reports()) {
    if (request.dataset().empty() || request.dataset() == report.dataset) {
      AddStream(report, response);
    }
  }
  return absl::OkStatus();
}

}  // namespace inkstream::transport
